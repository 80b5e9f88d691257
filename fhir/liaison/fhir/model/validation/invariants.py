"""The invariants of R4's own definitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from liaison.fhir.model.validation.problem import Problem, Problems
from liaison.fhir.model.validation.scope import Scope


@dataclass(frozen=True, slots=True)
class Invariant:
    """A rule that one object of a type keeps, on its own or with the resource around it."""

    key: str
    severity: str
    text: str
    holds: Callable[[dict[str, Any], Scope], bool]

    def check(self, node: dict[str, Any], scope: Scope, problems: Problems) -> None:
        if not self.holds(node, scope):
            problems.append(Problem("", "invariant", f"{self.key}: {self.text}", self.severity))


@cache
def invariants(type_: str) -> tuple[Invariant, ...]:
    """The invariants of one type, those of its bases included."""
    return ()
