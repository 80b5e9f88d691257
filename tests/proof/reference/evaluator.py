"""A search as R4 describes it, in plain Python over plain resources: no SQL, no index, no code of the engine.

Written from https://hl7.org/fhir/R4/search.html alone, for the parameters named in PARAMETERS, and slow on purpose:
every query looks at every resource. What R4 leaves to a server is as docs/implementation/search.md says: dates without
a zone are read on the clock of Paris, strings are folded, quantities are ordered by what they amount to in base units, a
missing value sorts lowest.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .elements import (
    Resource,
    amounts_to,
    bounded,
    codings,
    date_is,
    elements,
    fold,
    period,
    quantity_is,
    reference_is,
    span,
    string_is,
    token_is,
    unversioned,
    uri_is,
)
from .tables import BEYOND, CODE_SYSTEMS, PARAMETERS

# ---- through references --------------------------------------------------------------------------------------------


class Seen:
    """What one caller may see: all there is, for them. Chains and _has look at nothing else."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.by_id: dict[str, Resource] = {}
        self.of_type: dict[str, list[Resource]] = {}
        self._found: dict[tuple[str, str, str, tuple[str, ...]], frozenset[str]] = {}
        self._ranked: dict[tuple[str, str, bool], tuple[int, Any]] = {}
        for one in resources:
            self.by_id[one["id"]] = one
            self.of_type.setdefault(one["resourceType"], []).append(one)

    def ids(self, type_: str, name: str, modifier: str, values: tuple[str, ...]) -> frozenset[str]:
        """The resources of a type that satisfy one criterion, chained or not."""
        asked = (type_, name, modifier, values)
        if asked not in self._found:
            self._found[asked] = frozenset(self._ids(self.of_type.get(type_, ()), *asked))
        return self._found[asked]

    def _ids(
        self, here: Iterable[Resource], type_: str, name: str, modifier: str, values: tuple[str, ...]
    ) -> Iterator[str]:
        if name.startswith("_has:"):
            _, source, code, rest = name.split(":", 3)
            for id_ in self.ids(source, rest, modifier, values):
                yield from (one["id"] for one in self.targets(self.by_id[id_], code) if one["resourceType"] == type_)
        elif "." in name:
            yield from (one["id"] for one in here if self._leads(one, one, name, modifier, values))
        else:
            yield from (one["id"] for one in here if satisfies(one, name, modifier, values))

    def _leads(self, one: Resource, root: Resource, name: str, modifier: str, values: tuple[str, ...]) -> bool:
        """Whether a chain leads from a resource, which is `root` or contained in it, to something that satisfies it."""
        head, _, rest = name.partition(".")
        code, _, named = head.partition(":")

        def fits(target: Resource) -> bool:
            return named in ("", target["resourceType"]) and knows(target["resourceType"], rest)

        return any(
            fits(target) and target["id"] in self.ids(target["resourceType"], rest, modifier, values)
            for target in self.targets(one, code)
        ) or any(
            fits(target) and self._contained_satisfies(target, root, rest, modifier, values)
            for target in contained(one, root, code)
        )

    def _contained_satisfies(
        self, one: Resource, root: Resource, name: str, modifier: str, values: tuple[str, ...]
    ) -> bool:
        """search.html#contained: a chained condition is evaluated inside contained resources. These have no identity of
        their own: no _id, no _lastUpdated, and nothing elsewhere refers to them."""
        if name.startswith("_has:") or name in ("_id", "_lastUpdated"):
            return False
        if "." in name:
            return self._leads(one, root, name, modifier, values)
        return any(self._ids([one], one["resourceType"], name, modifier, values))

    def rank(self, resource: Resource, key: str) -> tuple[int, Any]:
        """What orders a resource under one sort key with its sign."""
        asked = (resource["id"], key.lstrip("-"), key.startswith("-"))
        if asked not in self._ranked:
            self._ranked[asked] = sort_value(self, resource, *asked[1:])
        return self._ranked[asked]

    def targets(self, resource: Resource, code: str) -> Iterator[Resource]:
        """The resources that a reference parameter leads to."""
        for element in elements(resource, code):
            if isinstance(element, str):
                yield from self.defined(PARAMETERS[resource["resourceType"]][code].targets, element)
                continue
            type_, _, id_ = unversioned(element.get("reference", "")).partition("/")
            target = self.by_id.get(id_)
            if target is not None and target["resourceType"] == type_:
                yield target

    def defined(self, types: Iterable[str], canonical: str) -> Iterator[Resource]:
        """references.html#canonical: by url and version; without a version the latest, the last written of equal ones."""
        url, _, version = canonical.partition("#")[0].partition("|")
        for type_ in types:
            known = [one for one in self.of_type.get(type_, ()) if one.get("url") == url]
            known = [one for one in known if version in ("", one.get("version", ""))]
            if known:
                yield max(known, key=lambda one: (_natural(one.get("version", "")), one["meta"]["lastUpdated"]))


def _natural(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part]


def contained(resource: Resource, root: Resource, code: str) -> Iterator[Resource]:
    """The resources contained in `root` that a reference parameter of one within it leads to."""
    for element in elements(resource, code):
        if isinstance(element, dict):
            yield from (one for one in root.get("contained", ()) if element.get("reference") == f"#{one['id']}")


def knows(type_: str, asked: str) -> bool:
    """Whether a type has the next parameter of a chain."""
    code = asked.partition(".")[0].partition(":")[0]
    known = PARAMETERS.get(type_, {}).keys() | BEYOND.get(type_, frozenset()) | {"_id", "_lastUpdated", "_has", "_list"}
    return type_ in PARAMETERS and code in known


# ---- the whole ----------------------------------------------------------------------------------------------------


def satisfies(resource: Resource, name: str, modifier: str, values: Iterable[str]) -> bool:
    """One criterion: OR over its values, and over the elements."""
    values = list(values)
    if name == "_id":
        return resource["id"] in values
    if name == "_lastUpdated":
        return any(date_is(resource["meta"]["lastUpdated"], "", value) for value in values)
    parameter = PARAMETERS[resource["resourceType"]][name]
    found = elements(resource, name)
    if modifier == "missing":
        return (not found) == (values == ["true"])
    type_ = resource["resourceType"]
    test: Callable[[Any, str, str], bool] = {
        "string": lambda element, how, value: string_is(
            element, how, value, each_word=type_ in ("Patient", "Practitioner") and name in ("family", "name")
        ),
        "token": lambda element, how, value: token_is(element, how, value, CODE_SYSTEMS.get((type_, name), "")),
        "date": date_is,
        "quantity": quantity_is,
        "number": quantity_is,
        "uri": uri_is,
        "reference": lambda element, how, value: reference_is(parameter, element, how, value),
    }[parameter.type]
    if modifier == "not":
        return not any(test(element, "", value) for element in found for value in values)
    return any(test(element, modifier, value) for element in found for value in values)


def sort_value(seen: Seen, resource: Resource, name: str, descending: bool) -> tuple[int, Any]:
    """What orders a resource under one sort key; a missing value is lower than any."""
    type_ = resource["resourceType"]
    if "." in name:
        head, _, rest = name.partition(".")
        code, _, named = head.partition(":")
        ends = [
            sort_value(seen, target, rest, descending)
            for target in seen.targets(resource, code)
            if named in ("", target["resourceType"]) and knows(target["resourceType"], rest)
        ]
        there = [one for one in ends if one[0]]
        return (max(there) if descending else min(there)) if there else (0, None)
    if name == "_id":
        return 1, resource["id"]
    if name == "_lastUpdated":
        return 1, span(resource["meta"]["lastUpdated"])[0]
    parameter = PARAMETERS[type_][name]
    found: list[Any] = []
    for element in elements(resource, name):
        match parameter.type:
            case "string":
                found.append(fold(element))
            case "token":
                found += [(code, system) for system, code in codings(element) if code]
            case "date":
                found.append(period(element)[0])
            case "quantity":
                found += [amounts_to(element)] if "value" in bounded(element) else []
            case "number":
                found.append(Fraction(str(element)))
            case "uri":
                found.append(element.partition("|")[0])
            case _:
                written = element.partition("|")[0] if isinstance(element, str) else element.get("reference", "")
                found += [unversioned(written)] if "/" in written else []
    if not found:
        return 0, None
    return 1, max(found) if descending else min(found)


@dataclass(frozen=True)
class Asked:
    """A query: criteria as (name, modifier, values), sort keys with their sign."""

    type: str
    criteria: tuple[tuple[str, str, tuple[str, ...]], ...]
    sort: tuple[str, ...] = ()

    def text(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for name, modifier, values in self.criteria:
            if name == "_filter":  # has a grammar of its own
                found.append((name, values[0]))
                continue
            escaped = [value.replace("\\", "\\\\").replace(",", "\\,") for value in values]
            if not name.endswith(("-value-quantity", "-value-concept")):  # of these, `$` joins the parts
                escaped = [value.replace("$", "\\$") for value in escaped]
            found.append((f"{name}:{modifier}" if modifier else name, ",".join(escaped)))
        return found + ([("_sort", ",".join(self.sort))] if self.sort else [])


def matching(seen: Seen, asked: Asked) -> list[Resource]:
    """The resources that satisfy every criterion, in no order."""
    found = [seen.ids(asked.type, *criterion) for criterion in asked.criteria]
    return [one for one in seen.of_type.get(asked.type, ()) if all(one["id"] in ids for ids in found)]


def sort_keys(seen: Seen, resource: Resource, sort: Iterable[str]) -> list[tuple[int, Any]]:
    return [seen.rank(resource, key) for key in sort]


def in_order(seen: Seen, resources: list[Resource], sort: tuple[str, ...]) -> list[list[tuple[int, Any]]]:
    """The sort keys of the resources in the order R4 wants; equal ones may stand in any order."""
    rows = [sort_keys(seen, one, sort) for one in resources]
    for number, key in reversed(list(enumerate(sort))):
        rows.sort(key=lambda row: row[number], reverse=key.startswith("-"))  # used before the next turn
    return rows
