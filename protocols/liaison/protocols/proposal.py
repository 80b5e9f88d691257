"""What applying a protocol would make, before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

Tree = dict[str, Any]


class CannotApply(ValueError):
    """The definition cannot be applied as it is written. `action` and `element` say where."""

    def __init__(self, action: str, element: str, text: str) -> None:
        self.action, self.element, self.text = action, element, text
        super().__init__(f"action '{action}', {element}: {text}")


@dataclass(frozen=True, slots=True)
class Step:
    """One dated thing to do. `owner` is None when nobody of the team has a role that fits: 'à attribuer'. `activity` is the
    ActivityDefinition, `set` what dynamicValue gives, by path."""

    action: str
    code: Tree
    title: str
    description: str
    opens: date | None
    due: date
    owner: Tree | None
    roles: tuple[Tree, ...]
    goals: tuple[str, ...]
    sources: tuple[str, ...]
    priority: str
    definition: str
    activity: Tree = field(default_factory=dict)
    set: Mapping[str, Any] = field(default_factory=dict)
    reasons: tuple[Tree, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """An action that does not apply to this person, or not now, and the condition that said so."""

    action: str
    title: str
    condition: str


@dataclass(frozen=True, slots=True)
class Node:
    """An action that applies, with those of its group. `times`: how often it was chosen, 0 where it was not."""

    action: Tree
    children: tuple["Node", ...]
    activity: Tree | None
    times: int = 1

    @property
    def id(self) -> str:
        return str(self.action.get("id", ""))


@dataclass(frozen=True, slots=True)
class Proposal:
    """What applying the protocol would make. `variables` are the values that decided, to be shown with it. `open`: choices that
    are to be made before anything is written."""

    plan: Tree
    subject: str
    on: date
    steps: tuple[Step, ...]
    goals: tuple[Tree, ...]
    skipped: tuple[Skipped, ...]
    variables: dict[str, Any]
    nodes: tuple[Node, ...] = ()
    open: tuple[str, ...] = ()

    @property
    def canonical(self) -> str:
        return f"{self.plan['url']}|{self.plan['version']}"
