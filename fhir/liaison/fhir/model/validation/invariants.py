"""The invariants of R4's own definitions, compiled from their FHIRPath at first use.

Those that R4 calls warnings warn, and so does ppc-1: see WARN. Every other one refuses. LEFT_OUT names, with the
reason, the few that are not evaluated as published; tests/fhir/model/test_invariants.py holds the list complete.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from liaison.fhir.definitions import PRIMITIVES, Constraint, constraints, elements
from liaison.fhir.model.fhirpath.logic import compile_condition, resource_of
from liaison.fhir.model.fhirpath.operators import Around
from liaison.fhir.model.validation.problem import Problem, Problems
from liaison.fhir.model.validation.scope import Scope

LEFT_OUT: Final[dict[str, str]] = {
    "ele-1": "checked as structure: objects, lists and strings are never empty",
    "ref-1": "checked with the target of the reference",
    "dom-3": "checked below: the published expression uses `as` on lists, which FHIRPath forbids",
    "dom-6": "a good practice (resources should have a narrative), not a fault of the record",
    "txt-1": "narratives are cleaned, not refused",
    "txt-2": "narratives are cleaned, not refused",
    "cid-0": "asks for an element, ChargeItemDefinition.name, that R4 does not have",
}

WARN: Final[dict[str, str]] = {
    "ppc-1": "French consents, HL7 France's own example among them, name no policy",
    "dom-4": "the ANS's own example of a shared document contains resources with their meta",
    "dom-3": "a contained resource that nothing refers to does no harm",
}


_OF_CONTAINED: Final = frozenset({"dom-2", "dom-4", "dom-5"})
"""Each says that something in the contained resources is empty. Most resources contain none."""


@dataclass(frozen=True, slots=True)
class Invariant:
    """A rule that objects of a type keep. It is about the object, or each item of `element` when that is not ''. An object
    without the property `about`, when that is not '', keeps it."""

    element: str
    keys: tuple[str, ...]
    text: str
    severity: str
    holds: Callable[[Any, Around], bool]
    about: str = ""

    def check(self, node: dict[str, Any], scope: Scope, problems: Problems) -> None:
        """Adds a problem for the object, or for each item of the element, that breaks the rule."""
        if self.about and self.about not in node:
            return
        if not self.element:
            if not self.holds(node, Around(scope.resource, scope.container, node)):
                problems.append(Problem("", "invariant", self.text, self.severity))
            return
        for key in self.keys:
            value = node.get(key)
            items = value if type(value) is list else [] if value is None else [value]
            for index, item in enumerate(items):
                if not self.holds(item, Around(scope.resource, scope.container, item)):
                    place = f"[{index}]" if type(value) is list else ""
                    problems.append(Problem(f".{self.element}{place}", "invariant", self.text, self.severity))


@cache
def invariants(type_: str) -> tuple[Invariant, ...]:
    """The invariants of one type, those of its bases included."""
    made = [one for row in constraints(type_) if row.key not in LEFT_OUT for one in _compile(type_, row)]
    if any(row.key == "dom-3" for row in constraints(type_)):
        (row,) = (row for row in constraints(type_) if row.key == "dom-3")
        made.append(Invariant("", (), f"dom-3: {row.text}", "warning", _referred, "contained"))
    return tuple(made)


def _compile(type_: str, row: Constraint) -> list[Invariant]:
    text = f"{row.key}: {row.text}"
    severity = "warning" if row.key in WARN else row.severity
    if not row.element:
        holds = compile_condition(row.expression, type_, resource_of(type_))
        return [Invariant("", (), text, severity, holds, "contained" if row.key in _OF_CONTAINED else "")]
    element = elements(type_)[row.element]
    found = []
    for kind in element.types:
        if element.choice and kind.code in PRIMITIVES:  # ras-1, of RiskAssessment's probability, is about its Range
            continue
        key = row.element + kind.suffix if element.choice else row.element
        holds = compile_condition(row.expression, kind.code, resource_of(type_))
        found.append(Invariant(row.element, (key,), text, severity, holds))
    return found


def _referred(resource: Any, _: Around) -> bool:
    """dom-3: whatever is contained is referred to from elsewhere in the resource, or refers to the resource."""
    contained = resource.get("contained")
    if not isinstance(contained, list):
        return True
    named = _local(resource)
    return all(f"#{inner.get('id')}" in named or "#" in _local(inner) for inner in contained if isinstance(inner, dict))


def _local(node: dict[str, Any]) -> set[str]:
    """Every string in an object that begins with #."""
    found: set[str] = set()
    stack: list[dict[str, Any] | list[Any]] = [node]
    while stack:
        one = stack.pop()
        for child in one.values() if type(one) is dict else one:
            if type(child) is str:
                if child[:1] == "#":
                    found.add(child)
            elif type(child) is dict or type(child) is list:
                stack.append(child)
    return found
