"""The check of when: each duration counts in what a plan can count in, each recurrence says how often, each condition is written."""

from collections.abc import Iterator
from typing import Any, Final

from liaison.protocols import codes
from liaison.protocols.expressions import FHIRPATH
from liaison.protocols.library.source import Problem, Source, Tree
from liaison.protocols.timing import UNITS

_DURATIONS: Final = frozenset({"timingDuration", "timingAge", "offsetDuration", "boundsDuration", "due"})
_RANGES: Final = frozenset({"timingRange", "offsetRange", "boundsRange"})
_EXPRESSED: Final = ("condition", "dynamicValue")


def times(source: Source) -> Iterator[Problem]:
    """Every problem of a PlanDefinition or an ActivityDefinition, with its line."""
    yield from _within(source, source.tree, str(source.tree["resourceType"]))


def _within(source: Source, node: Any, path: str) -> Iterator[Problem]:
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from _within(source, item, f"{path}[{number}]")
    elif isinstance(node, dict):
        for name, child in node.items():
            here = f"{path}.{name}"
            if name in _DURATIONS:
                yield from _duration(source, child, here)
            elif name in _RANGES:
                for end in ("low", "high"):
                    yield from _duration(source, child.get(end, {}), here)
            elif name == "timingTiming":
                yield from _recurrence(source, node, child, here)
            elif name in _EXPRESSED:
                yield from _written(source, child, here)
            yield from _within(source, child, here)


def _duration(source: Source, duration: Tree, path: str) -> Iterator[Problem]:
    if duration.get("value") and duration.get("code") not in UNITS:
        yield source.problem(path, f"a plan counts in {_said()} (code, of UCUM), not in '{duration.get('code', '')}'")


def _recurrence(source: Source, action: Tree, timing: Tree, path: str) -> Iterator[Problem]:
    repeat = timing.get("repeat", {})
    if action.get("action"):
        yield source.problem(path, "a group does not recur: its actions do")
    elif not (
        timing.get("event")
        or any(one.get("url") == codes.SEASON for one in action.get("extension", ()))
        or ("period" in repeat and repeat.get("periodUnit") in UNITS)
        or ("period" not in repeat and repeat.get("count") == 1)
    ):
        yield source.problem(path, f"how often is not said: repeat.period, and periodUnit, one of {_said()}")


def _written(source: Source, expressed: list[Tree], path: str) -> Iterator[Problem]:
    for number, one in enumerate(expressed):
        told = one.get("expression") or {}
        if told.get("language") != FHIRPATH or not told.get("expression"):
            yield source.problem(f"{path}[{number}]", f"an expression in {FHIRPATH} is needed")


def _said() -> str:
    return ", ".join(sorted(UNITS))
