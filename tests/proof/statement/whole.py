"""What a CapabilityStatement claims of the service as a whole: its interactions over all types, the parameters that every
type has, its compartments and operations. Each claim is asked where a service that ignores it would answer otherwise."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import orjson

from liaison.fhir.store.contract import Tree

from .world import BASE, World

TAG = {"system": "https://liaison.test/tags", "code": "whole"}
PROFILE = "https://liaison.test/profile/whole"
MARK = {"system": "https://liaison.test/marks", "code": "mark-2"}
SOURCE = "https://liaison.test/source/3"
WORD = "vertigineux"
TYPES = ("Flag", "Basic")
COMPARTMENTS = {
    "Device": ("subject", "device"),
    "Encounter": ("encounter",),
    "Patient": ("subject", "performer"),
    "Practitioner": ("performer",),
    "RelatedPerson": ("performer",),
}
"""What puts an Observation into each (the CompartmentDefinitions of R4)."""


class Whole:
    """What was tried, and what differed from the claim."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tried = 0
        self.wrong: list[str] = []
        self.trees: dict[str, Tree] = {}

    async def fill(self) -> None:
        """Resources that tell each parameter apart, beside those of the world."""
        subject = {"reference": self.world.reference_to("Patient")}
        meta = {"tag": [TAG], "profile": [PROFILE]}
        text = {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{WORD}</div>'}
        flag = {"resourceType": "Flag", "status": "active", "code": {"text": "Chutes"}, "subject": subject}
        self.flag = await self._made(flag | {"meta": meta, "text": text})
        self.basic = await self._made(
            {"resourceType": "Basic", "code": {"text": f"Un malaise {WORD}"}, "subject": subject}
        )
        entries = [{"item": {"reference": f"Flag/{self.flag}"}}]
        self.list = await self._made(
            {"resourceType": "List", "status": "current", "mode": "working", "subject": subject, "entry": entries}
        )
        performers = [{"reference": self.world.reference_to(type_)} for type_ in ("Practitioner", "RelatedPerson")]
        others = {name.lower(): {"reference": self.world.reference_to(name)} for name in ("Device", "Encounter")}
        measured = {"resourceType": "Observation", "status": "final", "code": {"text": "Tour de taille"}}
        await self._made({**measured, "subject": subject, "performer": performers, **others})
        self.trees |= {id_: tree for found in self.world.of_type.values() for id_, tree in found.items()}

    async def _made(self, tree: Tree) -> str:
        made = orjson.loads((await self.world.ask("POST", tree["resourceType"], tree)).body)
        self.trees[made["id"]] = made
        return str(made["id"])

    async def walk(self, rest: dict[str, Any]) -> None:
        interactions = {
            "search-system": self._search,
            "history-system": self._history,
            "batch": self._batch,
            "transaction": self._transaction,
        }
        claimed = {one["code"] for one in rest["interaction"]}
        self.expect(claimed == set(interactions), f"the interactions are {sorted(interactions)}")
        for code in sorted(claimed & set(interactions), key=list(interactions).index):
            await interactions[code]()
        for parameter in rest["searchParam"]:
            await self.parameter(parameter["name"])
        for url in rest["compartment"]:
            await self._compartment(url.rpartition("/")[2])
        self.expect([one["name"] for one in rest["operation"]] == ["meta"], "$meta is the operation on all")
        told = orjson.loads((await self.world.ask("GET", "$meta")).body)["parameter"][0]["valueMeta"]
        self.expect(TAG in told["tag"] and PROFILE in told["profile"], "$meta tells the tags and profiles of all")

    def expect(self, held: bool, claim: str) -> None:
        self.tried += 1
        if not held:
            self.wrong.append(claim)

    async def parameter(self, name: str) -> None:
        """One search parameter of every type, in a search over two."""
        both = [self.flag, self.basic]
        newest = min(self.trees[id_]["meta"]["lastUpdated"] for id_ in both)
        mark, source = f"{MARK['system']}|{MARK['code']}", quote(SOURCE)
        meant: dict[str, tuple[str, Callable[[Tree], bool]]] = {
            "_id": (",".join(both), lambda tree: tree["id"] in both),
            "_lastUpdated": (f"ge{newest}", lambda tree: tree["meta"]["lastUpdated"] >= newest),
            "_profile": (PROFILE, lambda tree: PROFILE in tree["meta"].get("profile", [])),
            "_security": (mark, lambda tree: MARK in tree["meta"].get("security", [])),
            "_source": (source, lambda tree: tree["meta"].get("source") == SOURCE),
            "_tag": (f"{TAG['system']}|{TAG['code']}", lambda tree: TAG in tree["meta"].get("tag", [])),
            "_text": (WORD, lambda tree: tree["id"] == self.flag),
            "_content": (WORD, lambda tree: tree["id"] in both),
            "_filter": (quote(f"_id eq {self.basic}"), lambda tree: tree["id"] == self.basic),
            "_has:List:item:_id": (self.list, lambda tree: tree["id"] == self.flag),
            "_list": (self.list, lambda tree: tree["id"] == self.flag),
            "_type": ("Basic", lambda tree: tree["resourceType"] == "Basic"),
        }
        shape = {
            "_sort": self._sort,
            "_count": self._count,
            "_total": self._total,
            "_summary": self._summary,
            "_elements": self._elements,
            "_include": self._include,
            "_revinclude": self._revinclude,
        }
        if name in shape:
            self.expect(await shape[name](), name)
            return
        asked = next((one for one in meant if one.partition(":")[0] == name), "")
        if not asked:
            self.expect(False, f"{name} is tried here")
            return
        value, means = meant[asked]
        found = await self._found(f"{asked}={value}", types=name != "_type")
        expected = {tree["id"] for tree in self.trees.values() if tree["resourceType"] in TYPES and means(tree)}
        self.expect(found == expected, f"{name}: {len(expected)} expected, {len(found)} found")

    async def _bundle(self, query: str, *, types: bool = True) -> Tree:
        answer = await self.world.ask("GET", f"?{query}{'&_type=' + ','.join(TYPES) if types else ''}")
        found: Tree = orjson.loads(answer.body)
        return found if answer.status == 200 else {}

    async def _found(self, query: str, *, types: bool = True) -> set[str]:
        return {
            one["resource"]["id"] for one in (await self._bundle(f"{query}&_count=1000", types=types)).get("entry", ())
        }

    def _all(self) -> list[Tree]:
        return [tree for tree in self.trees.values() if tree["resourceType"] in TYPES]

    async def _sort(self) -> bool:
        moments = []
        for order in ("_lastUpdated", "-_lastUpdated"):
            entries = (await self._bundle(f"_sort={order}&_count=1000")).get("entry", ())
            moments.append([one["resource"]["meta"]["lastUpdated"] for one in entries])
        wanted = sorted(tree["meta"]["lastUpdated"] for tree in self._all())
        return moments == [wanted, wanted[::-1]]

    async def _count(self) -> bool:
        page = await self._bundle("_count=3")
        return len(page.get("entry", ())) == 3 and any(one["relation"] == "next" for one in page["link"])

    async def _total(self) -> bool:
        counted = [(await self._bundle(f"_total={kind}&_count=1")).get("total") for kind in ("accurate", "none")]
        return counted == [len(self._all()), None]

    async def _summary(self) -> bool:
        page = await self._bundle("_summary=count")
        return "entry" not in page and page.get("total") == len(self._all())

    async def _elements(self) -> bool:
        [entry] = (await self._bundle(f"_id={self.flag}&_elements=status")).get("entry", ({"resource": {}},))
        return "status" in entry["resource"] and "text" not in entry["resource"]

    async def _include(self) -> bool:
        patient = self.world.reference_to("Patient").partition("/")[2]
        return await self._found(f"_id={self.flag}&_include=Flag:patient") == {self.flag, patient}

    async def _revinclude(self) -> bool:
        return await self._found(f"_id={self.flag}&_revinclude=List:item") == {self.flag, self.list}

    async def _search(self) -> None:
        everyone = {tree["id"] for tree in self._all()}
        self.expect(
            await self._found("") == everyone, "search-system finds all of the types asked for, and nothing else"
        )

    async def _history(self) -> None:
        path, seen = "_history?_count=500", []
        while path:
            page = orjson.loads((await self.world.ask("GET", path)).body)
            seen += [one["fullUrl"].removeprefix(f"{BASE}/") for one in page.get("entry", ())]
            links = {one["relation"]: one["url"] for one in page["link"]}
            path = links.get("next", "").removeprefix(f"{BASE}/")
        wanted = sorted(f"{tree['resourceType']}/{id_}" for id_, tree in self.trees.items())
        self.expect(sorted(seen) == wanted, f"history-system: {len(wanted)} versions expected, {len(seen)} found")

    async def _batch(self) -> None:
        statuses, made = await self._sent("batch", good=False)
        self.expect(statuses == [201, 422] and len(made) == 1, "batch: each entry stands alone")

    async def _transaction(self) -> None:
        statuses, made = await self._sent("transaction", good=False)
        self.expect(statuses == [] and made == set(), "transaction: all or nothing")
        statuses, made = await self._sent("transaction", good=True)
        self.expect(statuses == [201, 201] and len(made) == 2, "transaction: all")

    async def _sent(self, kind: str, *, good: bool) -> tuple[list[int], set[str]]:
        """The statuses of two entries, of which the second is valid or not, and what is there afterwards."""
        tag = {"system": TAG["system"], "code": f"{kind}-{good}"}
        subject = {"reference": self.world.reference_to("Patient")}
        flag = {"resourceType": "Flag", "meta": {"tag": [tag]}, "code": {"text": "Chutes"}, "subject": subject}
        entries = [
            {"resource": {**flag, "status": status}, "request": {"method": "POST", "url": "Flag"}}
            for status in ("active", "active" if good else "nonsense")
        ]
        answer = await self.world.ask("POST", "", {"resourceType": "Bundle", "type": kind, "entry": entries})
        answered = orjson.loads(answer.body).get("entry", ()) if answer.status == 200 else ()
        made = await self._found(f"_tag={tag['system']}|{tag['code']}")
        for id_ in made:
            self.trees[id_] = orjson.loads((await self.world.ask("GET", f"Flag/{id_}")).body)
        return [int(one["response"]["status"][:3]) for one in answered], made

    async def _compartment(self, name: str) -> None:
        type_ = next(one for one in COMPARTMENTS if one.lower() == name)
        whose = self.world.reference_to(type_)
        expected = {
            tree["id"]
            for tree in self.trees.values()
            if tree["resourceType"] == "Observation"
            for element in COMPARTMENTS[type_]
            for held in ([tree[element]] if isinstance(tree.get(element), dict) else tree.get(element, ()))
            if held.get("reference") == whose
        }
        answer = await self.world.ask("GET", f"{whose}/Observation?_count=1000")
        found = {one["resource"]["id"] for one in orjson.loads(answer.body).get("entry", ())}
        everyone = sum(tree["resourceType"] == "Observation" for tree in self.trees.values())
        self.expect(0 < len(expected) < everyone and found == expected, f"the compartment of a {type_}")
