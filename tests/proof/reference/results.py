"""Filters and compartments as R4 describes them, in plain Python over plain resources: no code of the engine.

Written from https://hl7.org/fhir/R4/search_filter.html and compartmentdefinition.html, for the types and parameters of
`evaluator.PARAMETERS`.
"""

import json
import random
from collections.abc import Iterable, Sequence
from typing import Any

from .elements import Resource, at, codings, date_is, elements, fold, period, quantity_is, span, spellings, unversioned
from .evaluator import satisfies
from .tables import PARAMETERS

Test = tuple[str, str, str]
"""Parameter, operator, value."""

Tree = Any
"""A Test, ('not', tree), or ('and' | 'or', tree, tree)."""

MEMBERS: dict[str, dict[str, tuple[str, ...]]] = {
    "Patient": {
        "Observation": ("subject", "performer"),
        "Condition": ("subject", "asserter"),
        "Encounter": ("subject",),
        "Procedure": ("subject", "performer.actor"),
        "MedicationRequest": ("subject",),
    },
    "Encounter": {
        "Observation": ("encounter",),
        "Condition": ("encounter",),
        "Encounter": (),
        "Procedure": ("encounter",),
        "MedicationRequest": ("encounter",),
    },
    "Practitioner": {
        "Observation": ("performer",),
        "Condition": ("asserter",),
        "Encounter": ("participant.individual",),
        "Procedure": ("performer.actor",),
        "MedicationRequest": ("requester",),
    },
}
"""By compartment and type, the elements of which one must refer to the compartment's resource."""


SHORT = {"loinc": "http://loinc.org", "snomed": "http://snomed.info/sct"}
"""Short names of systems, of those that stand in the data."""


def member(resource: Resource, owner: str, id_: str) -> bool:
    type_ = resource["resourceType"]
    if (type_, resource["id"]) == (owner, id_):
        return True
    paths = MEMBERS[owner].get(type_, ())
    return any(
        unversioned(one.get("reference", "")) == f"{owner}/{id_}" for path in paths for one in at(resource, path)
    )


def holds(resource: Resource, tree: Tree) -> bool:
    """Whether the filter holds for the resource."""
    match tree[0]:
        case "not":
            return not holds(resource, tree[1])
        case "and":
            return holds(resource, tree[1]) and holds(resource, tree[2])
        case "or":
            return holds(resource, tree[1]) or holds(resource, tree[2])
        case _:
            return _holds(resource, tree)


def _holds(resource: Resource, test: Test) -> bool:
    name, operator, value = test
    found = elements(resource, name)
    if operator == "pr":
        return bool(found) == (value == "true")
    match PARAMETERS[resource["resourceType"]][name].type:
        case "string":
            return any(_compare(operator, fold(one), fold(value)) for one in found)
        case "token":
            return any(_coded(operator, system, code, value) for one in found for system, code in codings(one))
        case "date" if operator == "po":
            low, high = span(value)
            return any(start < high and end > low for start, end in map(period, found))
        case "date" if operator == "co":
            low, high = span(value)
            return any(start <= low and end >= high for start, end in map(period, found))
        case "date":
            return any(date_is(one, "", operator + value) for one in found)
        case "quantity" | "number":
            return any(quantity_is(one, "", operator + value) for one in found)
        case "uri":
            return any(_compare_uri(operator, one, value) for one in found)
        case _ if operator == "ne":
            return any(_written(one) and not _refers(one, value) for one in found)
        case _:
            return satisfies(resource, name, "", [value])


def _written(one: Any) -> str:
    """What a reference, or a canonical, names."""
    return one if isinstance(one, str) else str(one.get("reference", ""))


def _refers(one: Any, value: str) -> bool:
    written = _written(one)
    return value in (spellings(written) if isinstance(one, str) else (written, unversioned(written)))


def _compare(operator: str, text: str, value: str) -> bool:
    return {
        "eq": text == value,
        "ne": text != value,
        "co": value in text,
        "sw": text.startswith(value),
        "ew": text.endswith(value),
        "gt": text > value,
        "lt": text < value,
        "ge": text >= value,
        "le": text <= value,
    }[operator]


def _compare_uri(operator: str, uri: str, value: str) -> bool:
    """To the letter; of a canonical, `eq` is met without its version or fragment too."""
    bare = uri.partition("#")[0].partition("|")[0]
    return value in spellings(uri) if operator == "eq" else _compare(operator, bare, value)


def _coded(operator: str, system: str, code: str, value: str) -> bool:
    wanted, bar, text = value.rpartition("|")
    wanted = SHORT.get(wanted, wanted)
    equal = code == text and (not bar or system == wanted)
    return bool(code or system) and equal is (operator == "eq")


def text_of(tree: Tree, bare: bool) -> str:
    """The filter as a caller writes it; values bare where they can be."""
    match tree[0]:
        case "not":
            return f"not ({text_of(tree[1], bare)})"
        case "and" | "or":
            # Left to right, none binding closer: only what stands on the right needs parentheses.
            right = text_of(tree[2], bare)
            return f"{text_of(tree[1], bare)} {tree[0]} " + (f"({right})" if tree[2][0] in ("and", "or") else right)
        case _:
            name, operator, value = tree
            plain = bare and value and not any(c.isspace() or c in '"()[]' for c in value)
            return f"{name} {operator} {value if plain else json.dumps(value)}"


class Filters:
    """Makes filters about `corpus`, the same ones for the same seed; values come from the resources."""

    def __init__(self, corpus: Sequence[Resource], seed: int) -> None:
        self.random = random.Random(seed)
        self.by_type: dict[str, list[Resource]] = {}
        for one in corpus:
            if one["resourceType"] in PARAMETERS:
                self.by_type.setdefault(one["resourceType"], []).append(one)

    def filter(self) -> tuple[str, Tree]:
        """A type, and a filter of its resources."""
        type_ = self.random.choice(sorted(self.by_type))
        return type_, self.tree(type_)

    def tree(self, type_: str) -> Tree:
        return self._tree(type_, self.random.choice((0, 1, 1, 2, 3)))

    def _tree(self, type_: str, depth: int) -> Tree:
        if depth == 0:
            return self._test(type_)
        way = self.random.choice(("and", "or", "or", "not"))
        if way == "not":
            return "not", self._tree(type_, depth - 1)
        return way, self._tree(type_, depth - 1), self._tree(type_, self.random.randrange(depth))

    def _test(self, type_: str) -> Test:
        while True:
            name = self.random.choice(sorted(PARAMETERS[type_]))
            if self.random.random() < 0.1:
                return name, "pr", self.random.choice(("true", "false"))
            found = elements(self.random.choice(self.by_type[type_]), name)
            made = self._of(PARAMETERS[type_][name].type, self.random.choice(found)) if found else None
            if made is not None:
                return name, *made

    def _of(self, kind: str, element: Any) -> tuple[str, str] | None:
        match kind:
            case "string":
                start = self.random.randrange(max(1, len(element) - 2))
                text = self.random.choice((element, element.upper(), element[start : start + 4], element[:3]))
                operator = self.random.choice(("eq", "ne", "co", "sw", "ew", "gt", "lt", "ge", "le"))
                return (operator, text) if any(c.isalnum() for c in text) else None
            case "token":
                known = [one for one in codings(element) if one[1]]
                if not known:
                    return None
                system, code = self.random.choice(known)
                short = [f"{one}|{code}" for one, full in SHORT.items() if full == system]
                ways = (code, f"{system}|{code}" if system else code, *short)
                return self.random.choice(("eq", "eq", "ne")), self.random.choice(ways)
            case "date":
                moment = self.random.choice([one for one in period(element) if 1 < one.year < 9000])
                text = self.random.choice((f"{moment:%Y}", f"{moment:%Y-%m}", f"{moment:%Y-%m-%d}"))
                return self.random.choice(("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "po", "po", "co")), text
            case "uri":
                start = self.random.randrange(max(1, len(element) - 4))
                text = self.random.choice((element, element[:12], element[start : start + 6], element[-7:]))
                return self.random.choice(("eq", "ne", "co", "sw", "ew")), text
            case "number":
                return self.random.choice(("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")), str(element)
            case "quantity":
                if "value" not in element:
                    return None
                return self.random.choice(("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")), str(element["value"])
            case _:
                written = _written(element)
                if "/" not in written or "?" in written:
                    return None
                return self.random.choice(("eq", "re", "ne")), written


def filtered(corpus: Iterable[Resource], type_: str, tree: Tree) -> set[str]:
    """The ids of the resources of the type for which the filter holds."""
    return {one["id"] for one in corpus if one["resourceType"] == type_ and holds(one, tree)}
