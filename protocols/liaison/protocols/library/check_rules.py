"""The check of a set of rules (PlanDefinition of type eca-rule): all that liaison.protocols.signals reads is there."""

from collections.abc import Iterator
from typing import Any, Final

from liaison.protocols import codes
from liaison.protocols.library.known import known
from liaison.protocols.library.library import Library
from liaison.protocols.library.source import Problem, Source, Tree
from liaison.protocols.signals import needed, protocol_of

_TRIGGERS: Final = ("data-added", "periodic")
_PATHS: Final = ("code", "value.ofType(Quantity).code")


def rules(source: Source, library: Library) -> Iterator[Problem]:
    """Every problem of each of its actions, with its line."""
    if library.find(protocol_of(source.tree)) is None:
        yield source.problem("PlanDefinition.relatedArtifact", "no protocol that it is derived-from in the library")
    labels = {artifact.get("label") for artifact in source.tree.get("relatedArtifact", [])}
    actions = source.tree.get("action", [])
    ids = [action.get("id") for action in actions]
    for number, action in enumerate(actions):
        path = f"PlanDefinition.action[{number}]"
        if not action.get("id") or ids.count(action["id"]) > 1:
            yield source.problem(path, "a signal needs an id of its own")
        if not any(one.get("label") in labels for one in action.get("documentation", [])):
            yield source.problem(path, "a signal names its source (documentation)")
        if not action.get("title"):
            yield source.problem(path, "a signal has a title: the words of its alert")
        yield from _level(source, action, path)
        yield from _coded(source, library, action, path)
        yield from _trigger(source, action, path)
        yield from _conditions(source, action, path)


def _level(source: Source, action: Tree, path: str) -> Iterator[Problem]:
    told: Any = next((one for one in action.get("extension", []) if one.get("url") == codes.RAISES), {})
    if (told.get("valueCoding") or {}).get("code") not in codes.LEVELS:
        yield source.problem(f"{path}.extension", f"raises-alert is one of {', '.join(codes.LEVELS)}")


def _coded(source: Source, library: Library, action: Tree, path: str) -> Iterator[Problem]:
    coding: Tree = next((one for concept in action.get("code", [])[:1] for one in concept.get("coding", [])[:1]), {})
    if not coding.get("code") or not known(library, coding):
        yield source.problem(f"{path}.code", f"no code '{coding.get('code', '')}'")


def _trigger(source: Source, action: Tree, path: str) -> Iterator[Problem]:
    triggers = action.get("trigger", [])
    required = needed(action)
    if len(triggers) != 1 or triggers[0].get("type") not in _TRIGGERS or len(required) != 1:
        yield source.problem(
            f"{path}.trigger", f"one trigger, {' or '.join(_TRIGGERS)}, and the one data that it is about"
        )
        return
    data, here = required[0], f"{path}.trigger[0].data[0]" if "data" in triggers[0] else f"{path}.input[0]"
    filters = {one.get("path"): one.get("code") for one in data.get("codeFilter", [])}
    for name in _PATHS:
        if not filters.get(name):
            yield source.problem(f"{here}.codeFilter", f"no code for the path '{name}'")
    window = (data.get("dateFilter") or [{}])[0].get("valueDuration", {})
    if window.get("code") not in ("d", "wk") or not isinstance(window.get("value"), int):
        yield source.problem(f"{here}.dateFilter", "how far to look back: a valueDuration of whole d or wk")


def _conditions(source: Source, action: Tree, path: str) -> Iterator[Problem]:
    kinds = [one.get("kind") for one in action.get("condition", [])]
    if kinds.count("start") != 1 or kinds.count("stop") > 1 or set(kinds) - {"start", "stop"}:
        yield source.problem(f"{path}.condition", "one condition of kind start, and at most one of kind stop")
