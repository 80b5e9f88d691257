"""What R4 says of values that stand for more than themselves, in plain Python over plain resources: no code of the engine.

Value sets and code systems (valueset.html, codesystem.html; search.html#modifiers :in :not-in :above :below), places and
stays that are part of others, lists (search.html#list), composites (#composite), circles (location.html#near), and `ap`
(#prefix), for the types and parameters of `evaluator.PARAMETERS` and the tables here.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import acos, cos, radians, sin
from typing import Any

from .elements import Resource, at, codings, elements, extent, period, quantity_is, span, token_is, unversioned
from .evaluator import Seen
from .tables import CODE_SYSTEMS, PARAMETERS

COMPOSITES: dict[str, tuple[str, tuple[str, str], tuple[str, str]]] = {
    "code-value-quantity": ("", ("token", "code"), ("quantity", "valueQuantity")),
    "code-value-concept": ("", ("token", "code"), ("token", "valueCodeableConcept")),
    "component-code-value-quantity": ("component", ("token", "code"), ("quantity", "valueQuantity")),
    "component-code-value-concept": ("component", ("token", "code"), ("token", "valueCodeableConcept")),
    "combo-code-value-quantity": ("*", ("token", "code"), ("quantity", "valueQuantity")),
    "combo-code-value-concept": ("*", ("token", "code"), ("token", "valueCodeableConcept")),
}
"""Of Observation: where both parts stand, and the type and element of each."""

PARTS = {
    ("Encounter", "service-provider"): ("Organization", "serviceProvider"),
    ("Encounter", "part-of"): ("Encounter", "partOf"),
    ("Observation", "encounter"): ("Encounter", "encounter"),
    ("Condition", "encounter"): ("Encounter", "encounter"),
    ("Organization", "partof"): ("Organization", "partOf"),
    ("Location", "partof"): ("Location", "partOf"),
    ("Location", "organization"): ("Organization", "managingOrganization"),
}
"""References to what is part of something of its own type: (target, element)."""

EARTH = 6371.0088
LENGTHS = {"km": 1.0, "m": 0.001, "[mi_us]": 1.609347218694438}


class Systems:
    """Code systems that are kept whole: the parents of each code."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.parents: dict[str, dict[str, set[str]]] = {}
        for one in resources:
            if one["resourceType"] == "CodeSystem":
                known = self.parents.setdefault(one["url"], {})
                for code, above in _concepts(one.get("concept", ()), None):
                    known.setdefault(code, set()).update(above)

    def above(self, system: str, code: str) -> set[str]:
        found, fresh = {code}, [code]
        while fresh:
            fresh = [one for each in fresh for one in self.parents[system][each] if one not in found]
            found.update(fresh)
        return found

    def below(self, system: str, code: str) -> set[str]:
        return {one for one in self.parents[system] if code in self.above(system, one)}

    def filtered(self, system: str, operator: str, code: str) -> set[str]:
        below = self.below(system, code)
        return {
            "is-a": below,
            "descendent-of": below - {code},
            "is-not-a": set(self.parents[system]) - below,
            "generalizes": self.above(system, code),
        }[operator]


def _concepts(concepts: Iterable[Mapping[str, Any]], under: str | None) -> Iterator[tuple[str, set[str]]]:
    for one in concepts:
        named = {each["valueCode"] for each in one.get("property", ()) if each["code"] == "parent"}
        yield one["code"], named | ({under} if under else set())
        yield from _concepts(one.get("concept", ()), one["code"])


class Meanings(Seen):
    """What one caller may see, with what it says of codes, parts and lists. `now` is the moment of the search."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        super().__init__(resources)
        self.systems = Systems(self.of_type.get("CodeSystem", ()))
        self.sets = {one["url"]: one for one in self.of_type.get("ValueSet", ())}
        self.now = datetime.now(UTC)

    def members(self, url: str) -> "Members":
        """What a value set holds: what is included, without what is excluded."""
        compose = self.sets[url]["compose"]
        included = [self._part(part) for part in compose["include"]]
        excluded = [self._part(part) for part in compose.get("exclude", ())]
        return Members(
            lambda system, code: (
                any(part.has(system, code) for part in included)
                and not any(part.has(system, code) for part in excluded)
            )
        )

    def _part(self, part: Mapping[str, Any]) -> "Members":
        others = [self.members(url) for url in part.get("valueSet", ())]
        system = part.get("system")
        listed = {one["code"] for one in part["concept"]} if "concept" in part else None
        filters = [self.systems.filtered(part["system"], one["op"], one["value"]) for one in part.get("filter", ())]
        kept = set(self.systems.parents[part["system"]]) if part.get("system") in self.systems.parents else None

        def has(of: str, code: str) -> bool:
            if system is not None:
                if of != system or (listed is not None and code not in listed):
                    return False
                if not all(code in one for one in filters):
                    return False
                if listed is None and not filters and kept is not None and code not in kept:
                    return False
            return all(one.has(of, code) for one in others)

        return Members(has)

    def _ids(
        self, here: Iterable[Resource], type_: str, name: str, modifier: str, values: tuple[str, ...]
    ) -> Iterator[str]:
        if "." in name or name.startswith("_has:"):
            yield from super()._ids(here, type_, name, modifier, values)
        elif name == "_list":
            named = {text for value in values for text in self._listed(value)}
            yield from (one["id"] for one in here if f"{type_}/{one['id']}" in named)
        elif name == "near":
            yield from (one["id"] for one in here if any(is_near(one, value) for value in values))
        elif name in COMPOSITES:
            yield from (one["id"] for one in here if any(is_composite(one, name, value) for value in values))
        elif modifier in ("in", "not-in"):
            sets = [self.members(value) for value in values]
            yield from self._coded(here, name, sets, negated=modifier == "not-in")
        elif modifier in ("above", "below") and (type_, name) in PARTS:
            target, path = PARTS[type_, name]
            asked = {f"{target}/{id_}" for value in values for id_ in self._lineage(target, value, modifier)}
            yield from (
                one["id"] for one in here if any(unversioned(e.get("reference", "")) in asked for e in at(one, path))
            )
        elif modifier in ("above", "below") and PARAMETERS[type_][name].type == "token":
            sets = []
            for value in values:
                system, _, code = value.partition("|")
                reach = self.systems.below if modifier == "below" else self.systems.above
                codes = reach(system, code)
                sets.append(Members(lambda of, code, system=system, codes=codes: of == system and code in codes))
            yield from self._coded(here, name, sets, negated=False)
        elif values and values[0].startswith("ap") and (kind := _kind(type_, name)) in ("date", "number", "quantity"):
            for one in here:
                if any(self._about(element, kind, value[2:]) for element in elements(one, name) for value in values):
                    yield one["id"]
        else:
            yield from super()._ids(here, type_, name, modifier, values)

    def _coded(self, here: Iterable[Resource], name: str, sets: list["Members"], *, negated: bool) -> Iterator[str]:
        for one in here:
            implied = CODE_SYSTEMS.get((one["resourceType"], name), "")
            codes = [(system or implied, code) for element in elements(one, name) for system, code in codings(element)]
            if any(each.has(*code) for each in sets for code in codes) is not negated:
                yield one["id"]

    def _listed(self, value: str) -> Iterator[str]:
        """What a list names, if it may be seen; not what it says was taken off it."""
        found = self.by_id.get(value.removeprefix("List/"))
        if found is not None and found["resourceType"] == "List":
            kept = (one["item"] for one in at(found, "entry") if not one.get("deleted"))
            yield from (text for one in kept if (text := one.get("reference")))

    def _lineage(self, type_: str, id_: str, modifier: str) -> set[str]:
        """The resource, and what it is part of or what is part of it, as far as may be seen."""
        found, fresh = {id_}, [id_]
        while fresh:
            fresh = [one for each in fresh for one in self._step(type_, each, modifier) if one not in found]
            found.update(fresh)
        return found

    def _step(self, type_: str, id_: str, modifier: str) -> Iterator[str]:
        for one in self.of_type.get(type_, ()):
            if modifier == "above" and one["id"] == id_:
                yield from (each["reference"].partition("/")[2] for each in at(one, "partOf"))
            if modifier == "below" and any(each["reference"] == f"{type_}/{id_}" for each in at(one, "partOf")):
                yield one["id"]

    def _about(self, element: Any, kind: str, value: str) -> bool:
        """`ap`: ten per cent of the value, or of the time between now and the start of the date."""
        if kind == "date":
            low, high = span(value)
            margin = abs(self.now - low) / 10
            start, end = period(element)
            return start < _late(high, margin) and end > low - margin
        number, _, unit = value.partition("|")
        asked = abs(Fraction(number))
        half = Fraction(1, 10 ** len(number.partition(".")[2])) / 2
        held = extent(element, unit)
        if held is None:
            return False
        least, most = held
        allowed = max(asked / 10, half)
        return least <= Fraction(number) + allowed and most >= Fraction(number) - allowed


def _kind(type_: str, name: str) -> str:
    known = PARAMETERS[type_].get(name)
    return known.type if known else ""


class Members:
    """Which codes belong to a set."""

    def __init__(self, has: Any) -> None:
        self.has = has


def _late(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def is_composite(resource: Resource, name: str, value: str) -> bool:
    """Both parts hold of one element: of the observation itself, of one of its components, or of any of them."""
    where, first, second = COMPOSITES[name]
    one, _, other = value.partition("$")
    nodes = [resource] if where in ("", "*") else []
    nodes += list(at(resource, "component")) if where in ("component", "*") else []
    return any(_part_is(node, *first, one) and _part_is(node, *second, other) for node in nodes)


def _part_is(node: Any, kind: str, path: str, value: str) -> bool:
    if kind == "token":
        return any(token_is(element, "", value) for element in at(node, path))
    return any(quantity_is(element, "", value) for element in at(node, path))


def is_near(resource: Resource, value: str) -> bool:
    """Within a great-circle distance, by the law of cosines."""
    position = resource.get("position")
    if position is None:
        return False
    latitude, longitude, *rest = value.split("|")
    distance = float(rest[0]) if rest and rest[0] else 20.0
    distance *= LENGTHS[rest[1] if len(rest) > 1 and rest[1] else "km"]
    return apart(position, float(latitude), float(longitude)) <= distance


def apart(position: Mapping[str, Any], latitude: float, longitude: float) -> float:
    here, there = radians(float(position["latitude"])), radians(latitude)
    east = radians(float(position["longitude"]) - longitude)
    return EARTH * acos(max(-1.0, min(1.0, sin(here) * sin(there) + cos(here) * cos(there) * cos(east))))
