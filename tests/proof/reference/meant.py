"""What values may stand for (value sets, hierarchies, lists, places) made about given data, and queries that use it."""

import random
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .elements import Resource, codings, elements, period, unversioned
from .generator import Generator
from .meanings import COMPOSITES, LENGTHS, PARTS
from .tables import CODE_SYSTEMS, PARAMETERS

SETS = 12
CODED = {
    "Condition": ("code",),
    "Encounter": ("type", "reason-code", "status"),
    "Observation": ("code", "value-concept", "component-code", "status"),
    "Procedure": ("code",),
    "MedicationRequest": ("code", "intent"),
}


def coded(node: Any) -> Iterator[tuple[str, str]]:
    """(system, code) of every coding."""
    if isinstance(node, dict):
        if isinstance(node.get("system"), str) and isinstance(node.get("code"), str):
            yield node["system"], node["code"]
        for child in node.values():
            yield from coded(child)
    elif isinstance(node, list):
        for child in node:
            yield from coded(child)


def code_systems(used: Iterable[tuple[str, str]], made: random.Random) -> list[Resource]:
    """A hierarchy of most of the codes of each system that is used much: nested in part, by property in part."""
    by_system: dict[str, list[str]] = {}
    for system, code in sorted(set(used)):
        by_system.setdefault(system, []).append(code)
    return [
        {
            "resourceType": "CodeSystem",
            "status": "active",
            "url": system,
            "content": "complete",
            "hierarchyMeaning": "is-a",
            "concept": _hierarchy([code for code in codes if made.random() < 0.85], made),
        }
        for system, codes in by_system.items()
        if len(codes) > 12
    ]


def _hierarchy(codes: list[str], made: random.Random) -> list[dict[str, Any]]:
    roots: list[dict[str, Any]] = []
    known: list[dict[str, Any]] = []
    for code in codes:
        concept: dict[str, Any] = {"code": code}
        where = made.random()
        if known and where < 0.4:
            made.choice(known).setdefault("concept", []).append(concept)
        else:
            if known and where < 0.8:
                above = made.sample(known, min(len(known), made.choice((1, 1, 2))))
                concept["property"] = [{"code": "parent", "valueCode": one["code"]} for one in above]
            roots.append(concept)
        known.append(concept)
    return roots


def value_sets(systems: Sequence[Resource], used: Sequence[tuple[str, str]], made: random.Random) -> list[Resource]:
    """Sets by concept, by filter, by whole system and by other sets, of which each may leave something out."""
    bound = [
        (system, code)
        for system in sorted(set(CODE_SYSTEMS.values()))
        for code in ("final", "finished", "female", "order")
    ]
    found: list[Resource] = []
    for number in range(SETS):
        urls = [one["url"] for one in found]
        compose = {"include": [_part(systems, used, bound, urls, made) for _ in range(made.choice((1, 1, 2, 3)))]}
        if made.random() < 0.4:
            compose["exclude"] = [_part(systems, used, bound, urls, made)]
        found.append(
            {"resourceType": "ValueSet", "status": "active", "url": f"http://sets/{number}", "compose": compose}
        )
    return found


def _part(
    systems: Sequence[Resource],
    used: Sequence[tuple[str, str]],
    bound: Sequence[tuple[str, str]],
    urls: Sequence[str],
    made: random.Random,
) -> dict[str, Any]:
    way = made.random()
    if urls and way < 0.2:
        return {"valueSet": [made.choice(urls)]}
    if way < 0.6:
        one = made.choice(systems)
        part: dict[str, Any] = {"system": one["url"]}
        codes = [concept["code"] for concept in one["concept"]]
        if way > 0.3:
            operators = ("is-a", "is-a", "descendent-of", "is-not-a", "generalizes")
            part["filter"] = [
                {"property": "concept", "op": made.choice(operators), "value": made.choice(codes)}
                for _ in range(made.choice((1, 1, 2)))
            ]
    else:
        system, _ = made.choice(used if way < 0.9 else bound)
        codes = sorted({code for each, code in (*used, *bound) if each == system})
        concepts = made.sample(codes, made.randint(1, min(8, len(codes))))
        part = {"system": system, "concept": [{"code": code} for code in concepts]}
    if urls and made.random() < 0.15:
        part["valueSet"] = [made.choice(urls)]
    return part


class Meant(Generator):
    """Queries about `corpus` of which most have a criterion that stands for more than its own text."""

    def __init__(self, corpus: Sequence[Resource], seed: int) -> None:
        super().__init__(corpus, seed, chained=0.2)
        everything: dict[str, list[Resource]] = {}
        for one in corpus:
            everything.setdefault(one["resourceType"], []).append(one)
        self.sets = [one["url"] for one in everything["ValueSet"]]
        self.systems = {one["url"]: [code for _, code in _codes(one)] for one in everything["CodeSystem"]}
        self.lists = [one["id"] for one in everything.get("List", ())]

    def type(self) -> str:
        """Mostly one of those whose values stand for more."""
        meant = sorted({*CODED, *(one for one, _ in PARTS)} & self.by_type.keys())
        return self.random.choice(meant) if self.random.random() < 0.75 else super().type()

    def _criterion(self, type_: str, example: Resource) -> tuple[str, str, tuple[str, ...]] | None:
        ways = [self._list, self.about]
        ways += [self._in, self._in, self._related] if type_ in CODED else []
        ways += [self.composite] * 4 if type_ == "Observation" else []
        ways += [self._near, self._near] if type_ == "Location" else []
        ways += [self._part, self._part] if any(one == type_ for one, _ in PARTS) else []
        made = self.random.choice(ways)(type_, example) if self.random.random() < 0.7 else None
        return made or self.plain(type_, example)

    def _list(self, type_: str, example: Resource) -> tuple[str, str, tuple[str, ...]] | None:
        if not self.lists:
            return None
        some = self.random.sample(self.lists, min(len(self.lists), self.random.choice((1, 1, 2))))
        return "_list", "", tuple(f"{self.random.choice(('', 'List/'))}{one}" for one in some)

    def _in(self, type_: str, example: Resource) -> tuple[str, str, tuple[str, ...]]:
        some = self.random.sample(self.sets, self.random.choice((1, 1, 2)))
        return self.random.choice(CODED[type_]), self.random.choice(("in", "in", "not-in")), tuple(some)

    def _related(self, type_: str, example: Resource) -> tuple[str, str, tuple[str, ...]] | None:
        name = self.random.choice(CODED[type_])
        known = [
            (system, code)
            for element in elements(example, name)
            for system, code in codings(element)
            if code in self.systems.get(system, ())
        ]
        if not known:
            return None
        system, code = self.random.choice(known)
        if self.random.random() < 0.7:
            code = self.random.choice(self.systems[system][: self.systems[system].index(code) + 1])
        return name, self.random.choice(("below", "below", "above")), (f"{system}|{code}",)

    def _part(self, type_: str, example: Resource) -> tuple[str, str, tuple[str, ...]] | None:
        name = self.random.choice(sorted(one for of, one in PARTS if of == type_))
        target, path = PARTS[type_, name]
        reference = example.get(path, {}).get("reference", "")
        if not reference.startswith(f"{target}/"):
            return None
        return name, self.random.choice(("below", "above")), (unversioned(reference).partition("/")[2],)

    def composite(self, type_: str, example: Resource) -> tuple[str, str, tuple[str, ...]] | None:
        """A value met nearby, or two, of which the other may be met by other resources."""
        name = self.random.choice(sorted(COMPOSITES))
        examples = [example, *self.random.sample(self.by_type[type_], self.random.choice((0, 1)))]
        values = tuple(text for one in examples if (text := self._paired(name, one)))
        return (name, "", values) if values else None

    def _paired(self, name: str, example: Resource) -> str:
        where, (_, code), (kind, value) = COMPOSITES[name]
        nodes = [example] if where in ("", "*") else []
        nodes += example.get("component", []) if where in ("component", "*") else []
        nodes = [one for one in nodes if value in one]
        if not nodes:
            return ""
        node = self.random.choice(nodes)
        other = node if self.random.random() < 0.7 else self.random.choice(nodes)
        [[system, named]] = codings(node[code])[:1]
        first = self.random.choice((named, f"{system}|{named}", f"{system}|"))
        if kind == "quantity":
            _, made = self._quantity(other[value])
        else:
            [[system, named]] = codings(other[value])[:1]
            made = [self.random.choice((named, f"{system}|{named}"))]
        return f"{first}${made[0]}" if made else ""

    def about(self, type_: str, example: Resource) -> tuple[str, str, tuple[str, ...]] | None:
        names = [name for name, one in PARAMETERS[type_].items() if one.type in ("date", "number", "quantity")]
        if not names:
            return None
        name = self.random.choice(sorted(names))
        found = elements(example, name)
        if not found:
            return None
        if PARAMETERS[type_][name].type == "date":
            moment = self.random.choice([one for one in period(found[0]) if 1 < one.year < 9000])
            year = moment.year + self.random.choice((0, 0, 1, 2, -2, 5))
            return name, "", (f"ap{year:04}{self.random.choice(('', f'-{moment:%m}', f'-{moment:%m}-15'))}",)
        held = found[0] if isinstance(found[0], dict) else {"value": found[0]}
        if "value" not in held:
            return None
        value = float(held["value"]) * self.random.choice((1, 1.05, 0.93, 1.2, 0.5))
        unit = self.random.choice(("", f"|{held.get('system', '')}|{held.get('code', '')}"))
        unit = unit if held is found[0] else ""
        return name, "", (f"ap{value:.{self.random.randint(0, 3)}f}{unit}",)

    def _near(self, type_: str, example: Resource) -> tuple[str, str, tuple[str, ...]] | None:
        position = example.get("position")
        if position is None:
            return None
        where = "|".join(
            f"{float(position[part]) + self.random.uniform(-0.4, 0.4):.4f}" for part in ("latitude", "longitude")
        )
        unit = self.random.choice(sorted(LENGTHS))
        distance = self.random.choice((10, 25, 60, 300)) / LENGTHS[unit]
        return "near", "", (self.random.choice((f"{where}|{distance:.1f}|{unit}", where)),)


def _codes(resource: Resource) -> Iterator[tuple[str, str]]:
    def walk(concepts: Iterable[Any]) -> Iterator[str]:
        for one in concepts:
            yield one["code"]
            yield from walk(one.get("concept", ()))

    return ((resource["url"], code) for code in walk(resource["concept"]))
