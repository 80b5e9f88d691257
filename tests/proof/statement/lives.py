"""The interactions and operations that a CapabilityStatement claims for one type, tried on the life of a resource.

Beside it lives another of the same type, which must stay as it was.
"""

import itertools
from typing import Any

import orjson

from liaison.fhir import model
from liaison.fhir.definitions import ownership
from liaison.fhir.errors import FhirError
from liaison.fhir.store.contract import Answer, Tree

from ...fhir.model.conftest import Maker
from .world import World

TAG = {"system": "https://liaison.test/tags", "code": "walk"}
ELSEWHERE = {
    *("everything", "summary", "lastn", "lookup", "register", "join", "oppose", "apply", "evaluate-measure", "review"),
    *("asked-of-me", "clarify", "launch", "withdraw", "identify", "merge", "unmerge"),
    *("duplicates", "tell-apart", "attending-doctor", "move", "suspend", "resume", "end"),
}
"""Operations of single types, each with tests of its own; here it is seen that they are routed."""
HERE = {"meta", "meta-add", "meta-delete", "validate"}
"""Operations of every type, tried below."""

BY_HAND: dict[str, Tree] = {
    "StructureDefinition": {
        "url": "https://liaison.test/StructureDefinition/walk",
        "name": "Walk",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "derivation": "constraint",
        "differential": {"element": [{"id": "Patient", "path": "Patient"}]},
    }
}
"""Types whose invariants chance does not meet."""


class Lives:
    """What was tried, and what differed from the claim."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tried = 0
        self.wrong: list[str] = []

    async def walk(self, claimed: dict[str, Any]) -> None:
        type_ = claimed["type"]
        life = _Life(self, type_, {one["code"] for one in claimed["interaction"]}, claimed)
        try:
            await life.live()
            await self._operations(type_, life, [one["name"] for one in claimed.get("operation", ())])
            await life.end()
        except _Ended as over:
            self.wrong.append(f"{type_}: {over}")

    async def _operations(self, type_: str, life: "_Life", names: list[str]) -> None:
        ask, at = self.world.ask, f"{type_}/{life.id}"
        for name in names:
            match name:
                case "meta-add":
                    meta = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [TAG]}}]}
                    life.expect((await ask("POST", f"{at}/$meta-add", meta)).status == 200, "$meta-add")
                    tagged = await life.found(f"_tag={TAG['system']}|{TAG['code']}")
                    life.expect(tagged == {life.id}, "$meta-add tags this one and no other")
                    told = orjson.loads((await ask("GET", f"{at}/$meta")).body)["parameter"][0]["valueMeta"]
                    life.expect(TAG in told.get("tag", []), "$meta of an instance")
                    told = orjson.loads((await ask("GET", f"{type_}/$meta")).body)["parameter"][0]["valueMeta"]
                    life.expect(TAG in told.get("tag", []), "$meta of a type")
                    life.expect((await ask("POST", f"{at}/$meta-delete", meta)).status == 200, "$meta-delete")
                    tagged = await life.found(f"_tag={TAG['system']}|{TAG['code']}")
                    life.expect(tagged == set(), "$meta-delete takes the tag away")
                case "validate":
                    good = orjson.loads((await ask("POST", f"{type_}/$validate", life.tree)).body)
                    bad = orjson.loads((await ask("POST", f"{type_}/$validate", {**life.tree, "nonsense": 1})).body)
                    severe = [{one["severity"] for one in told["issue"]} & {"error", "fatal"} for told in (good, bad)]
                    life.expect((bool(severe[0]), bool(severe[1])) == (False, True), "$validate tells good from bad")
                case "meta" | "meta-delete":
                    pass  # with meta-add
                case _:
                    life.expect(name in ELSEWHERE, f"${name} has a test")
                    routed = [place for place in self.world.engine.described if place.endswith(f"${name}")]
                    life.expect(bool(routed), f"${name} is described")


class _Ended(Exception):
    """It cannot go on."""


class _Life:
    """One resource, from its creation to its end."""

    def __init__(self, lives: Lives, type_: str, claims: set[str], claimed: dict[str, Any]) -> None:
        self.lives, self.world, self.type = lives, lives.world, type_
        self.claims, self.claimed = claims, claimed
        self.tree: Tree = {}
        self.id = self.other = ""
        self.version = 1

    def expect(self, held: bool, claim: str) -> None:
        self.lives.tried += 1
        if not held:
            self.lives.wrong.append(f"{self.type}: {claim}")

    async def found(self, query: str) -> set[str]:
        answer = await self.world.ask("GET", f"{self.type}?{query}")
        return {one["resource"]["id"] for one in orjson.loads(answer.body).get("entry", ())}

    async def live(self) -> None:
        self.expect(
            self.claims
            == {
                *("create", "read", "vread", "update", "patch", "delete"),
                *("history-instance", "history-type", "search-type"),
            },
            "every interaction is claimed",
        )
        self.tree = self._valid()
        self.other, self.id = await self._create(), await self._create()
        await self._read()
        await self._conditional_create()
        await self._update()
        await self._patch()
        await self._history()
        self.expect(await self.found(f"_id={self.id}") == {self.id}, "search-type")

    def _valid(self) -> Tree:
        """The first resource of this type that the service takes."""
        if self.type in BY_HAND:
            return {"resourceType": self.type, **BY_HAND[self.type]}
        for seed in range(400):
            maker = Maker(seed)
            tree = maker.resource(self.type, 0.1)
            self.world.refer(tree, maker)
            try:
                model.validate(tree, self.type)
            except FhirError:
                continue
            return tree
        raise _Ended("no valid resource was made to try it with")

    async def _create(self) -> str:
        if ownership(self.type).rule == "by reference" or (
            ownership(self.type).otherwise == "by reference" and not list(ownership(self.type).references(self.tree))
        ):
            return await self._create_referred()
        answer = await self.world.ask("POST", self.type, self.tree)
        if answer.status != 201:
            raise _Ended(f"create answers {answer.status} {answer.body[:300]!r}")
        id_ = str(orjson.loads(answer.body)["id"])
        location = dict(answer.headers)["location"]
        self.expect(location.endswith(f"/{self.type}/{id_}/_history/1"), "create says where")
        if self.type == "Patient":
            await self.world.grant(id_)
        return id_

    async def _create_referred(self) -> str:
        """What belongs with what refers to it comes in a transaction with that."""
        subject = {"reference": self.world.reference_to("Patient")}
        items = [{"item": {"reference": "urn:uuid:1"}}]
        referring = {"resourceType": "List", "status": "current", "mode": "working", "subject": subject, "entry": items}
        entries = [
            {"fullUrl": f"urn:uuid:{n}", "resource": tree, "request": {"method": "POST", "url": tree["resourceType"]}}
            for n, tree in ((2, referring), (1, self.tree))
        ]
        answer = await self.world.ask("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
        if answer.status != 200:
            raise _Ended(f"create in a transaction answers {answer.status} {answer.body[:300]!r}")
        return str(orjson.loads(answer.body)["entry"][1]["resource"]["id"])

    async def _get(self, path: str = "", **headers: str) -> Answer:
        return await self.world.ask("GET", f"{self.type}/{self.id}{path}", **headers)

    async def _read(self) -> None:
        answer = await self._get()
        read = orjson.loads(answer.body)
        self.expect(answer.status == 200 and read["id"] == self.id, "read")
        self.expect(set(self.tree) <= set(read), "read gives what was created")
        tag, when = (dict(answer.headers)[name] for name in ("etag", "last-modified"))
        self.expect(tag == 'W/"1"', "versioned")
        for headers, status in (
            ({"if_none_match": tag}, 304),
            ({"if_none_match": 'W/"9"'}, 200),
            ({"if_modified_since": when}, 304),
            ({"if_modified_since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 200),
        ):
            self.expect((await self._get(**headers)).status == status, f"conditional read, {headers}")
        self.expect((await self._get("/_history/1")).body == answer.body, "vread")
        self.expect((await self._get("/_history/2")).status == 404, "vread of no version")

    async def _conditional_create(self) -> None:
        if ownership(self.type).rule == "by reference" or self.type == "Patient":
            return  # what is not created by itself, or whose match is looked for by its identity
        again = await self.world.ask("POST", self.type, self.tree, if_none_exist=f"_id={self.id}")
        same = again.status == 200 and orjson.loads(again.body)["id"] == self.id
        self.expect(same, "conditional create finds what is there")
        several = await self.world.ask("POST", self.type, self.tree, if_none_exist=f"_id={self.id},{self.other}")
        self.expect(several.status == 412, "conditional create of several")

    async def _update(self) -> None:
        path = f"{self.type}/{self.id}"
        for way in (path, f"{self.type}?_id={self.id}"):
            self.tree = {**orjson.loads((await self._get()).body), "language": f"fr-{'FR' if '?' in way else 'BE'}"}
            answer = await self.world.ask("PUT", way, self.tree, if_match=f'W/"{self.version}"')
            self.version += 1
            self.expect(
                answer.status == 200, f"update of {way.partition(self.id)[0]}: {answer.status} {answer.body[:200]!r}"
            )
            self.expect(dict(answer.headers)["etag"] == f'W/"{self.version}"', "update makes a version")
        stale = await self.world.ask("PUT", path, self.tree, if_match='W/"1"')
        self.expect(stale.status == 412, "If-Match")
        read = orjson.loads((await self._get()).body)
        self.expect(read["language"] == "fr-FR", "what was updated is read")
        unknown = self.world.unknown(self.type)
        made = await self.world.ask("PUT", f"{self.type}/{unknown}", {**self.tree, "id": unknown})
        self.expect(made.status in (404, 405), "no update creates")

    async def _patch(self) -> None:
        parts = [
            {"name": "type", "valueCode": "replace"},
            {"name": "path", "valueString": f"{self.type}.language"},
            {"name": "value", "valueCode": "fr-CH"},
        ]
        by_path = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}
        by_json: Any = [{"op": "replace", "path": "/language", "value": "fr-CA"}]
        for way, patch, kind, expected in (
            (f"/{self.id}", by_json, "application/json-patch+json", "fr-CA"),
            (f"?_id={self.id}", by_path, "application/fhir+json", "fr-CH"),
        ):
            answer = await self.world.ask("PATCH", f"{self.type}{way}", patch, content_type=kind)
            self.version += 1
            self.expect(answer.status == 200, f"patch by {kind}: {answer.status} {answer.body[:200]!r}")
            self.expect(orjson.loads((await self._get()).body)["language"] == expected, f"patch by {kind} is read")

    async def _history(self) -> None:
        versions = [
            entry["resource"]["meta"]["versionId"]
            for entry in orjson.loads((await self._get("/_history")).body)["entry"]
        ]
        self.expect(versions == [str(n) for n in range(self.version, 0, -1)], "history-instance")
        told = orjson.loads((await self.world.ask("GET", f"{self.type}/_history?_count=3")).body)["entry"]
        newest = [(one["resource"]["id"], one["resource"]["meta"]["versionId"]) for one in told]
        wanted = itertools.repeat(self.id), (str(self.version - n) for n in range(3))
        self.expect(newest == list(zip(*wanted, strict=False)), "history-type")
        told = orjson.loads((await self.world.ask("GET", f"{self.type}/_history?_count=500")).body)["entry"]
        seen = [one["fullUrl"].rsplit("/", 2)[1:] for one in told]
        wanted_ids = {*self.world.of_type[self.type], self.id, self.other}
        self.expect({type_ for type_, _ in seen} == {self.type}, "history-type is of the type alone")
        self.expect(wanted_ids <= {id_ for _, id_ in seen}, "history-type is of every resource of the type")

    async def end(self) -> None:
        """Deleted by criteria and by its id. Those who stay are as they were."""
        both = await self.world.ask("DELETE", f"{self.type}?_id={self.id},{self.other}")
        self.expect(both.status == 412, "conditional delete of several")
        self.expect(self.claimed["conditionalDelete"] == "single", "conditional delete of one is claimed")
        gone = await self.world.ask("DELETE", f"{self.type}?_id={self.id}")
        self.expect(gone.status == 204, f"conditional delete: {gone.status} {gone.body[:200]!r}")
        self.expect((await self._get()).status == 410, "what was deleted is gone")
        self.expect((await self._get("/_history/1")).status == 200, "its history stays")
        self.expect(await self.found(f"_id={self.id},{self.other}") == {self.other}, "the other is still found")
        self.id = self.other
        self.expect(dict((await self._get()).headers)["etag"] == 'W/"1"', "the other was not touched")
        gone = await self.world.ask("DELETE", f"{self.type}/{self.id}")
        self.expect(gone.status == 204 and (await self._get()).status == 410, "delete")
