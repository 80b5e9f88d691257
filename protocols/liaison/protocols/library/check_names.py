"""The check of what a protocol names: variables of its expressions, codes and roles of its activities, the kind of what is made.

A name that nobody gives a value is not known when a plan is made: its condition is false for everybody, and nothing says so.
"""

import re
from collections.abc import Collection, Iterator
from typing import Any, Final

from liaison.protocols import codes
from liaison.protocols.library.known import known
from liaison.protocols.library.library import Library
from liaison.protocols.library.source import Problem, Source, Tree
from liaison.protocols.requests import MADE
from liaison.protocols.signals import is_rules

_QUOTED: Final = re.compile(r"(?<!%)'(?:\\.|[^'\\])*'|//[^\n]*")
_NAME: Final = re.compile(r"%(?:`([^`]+)`|'([^']+)'|([A-Za-z_][A-Za-z0-9_-]*))")
_ALWAYS: Final = frozenset(
    {"context", "resource", "rootResource", "ucum", "sct", "loinc", "patient", "record", "on", "encounter", "practitioner",
     "organization", "userType", "userLanguage", "userTaskContext", "setting", "settingContext"}
)  # fmt: skip
_OF_A_SIGNAL: Final = frozenset({"value", "previous", "lowest", "highest", "count"})


def names(source: Source, library: Library, roles: Collection[str]) -> Iterator[Problem]:
    """Of a PlanDefinition or an ActivityDefinition. `roles`: the codes of our CodeSystem of roles; none: they are not looked at."""
    type_, tree = source.tree["resourceType"], source.tree
    given = _OF_A_SIGNAL if is_rules(tree) else _given(source, library)
    for path, expression in _expressions(tree, type_):
        for name in _named(expression):
            if name not in given and not name.startswith(("vs-", "ext-")):
                yield source.problem(path, f"FHIRPath: nothing gives %{name} a value")
    for path, participant in _participants(tree, type_):
        for coding in participant.get("role", {}).get("coding", ()):
            if roles and coding.get("system") == codes.ROLE and coding.get("code") not in roles:
                yield source.problem(path, f"no role '{coding.get('code')}'")
    if type_ == "ActivityDefinition":
        if (kind := tree.get("kind", "Task")) not in MADE:
            yield source.problem("ActivityDefinition.kind", f"a {kind} is not made here: {', '.join(sorted(MADE))}")
        for number, coding in enumerate(tree.get("code", {}).get("coding", ())):
            if not known(library, coding):
                yield source.problem(f"ActivityDefinition.code.coding[{number}]", f"no code '{coding.get('code')}'")


def _given(source: Source, library: Library) -> frozenset[str]:
    """An activity is applied within plans, and a plan within others: what any of them computes counts."""
    around = (one for type_ in ("PlanDefinition", "Library") for one in library.of_type(type_))
    return _ALWAYS | {
        str(one.get("valueExpression", {}).get("name", ""))
        for tree in (source.tree, *around)
        for one in tree.get("extension", ())
        if one.get("url") == codes.VARIABLE
    }


def _named(expression: str) -> list[str]:
    return [next(filter(None, found)) for found in _NAME.findall(_QUOTED.sub("''", expression))]


def _expressions(node: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from _expressions(item, f"{path}[{number}]")
    elif isinstance(node, dict):
        if node.get("language") == "text/fhirpath" and isinstance(node.get("expression"), str):
            yield f"{path}.expression", node["expression"]
        for name, child in node.items():
            yield from _expressions(child, f"{path}.{name}")


def _participants(node: Tree, path: str) -> Iterator[tuple[str, Tree]]:
    for number, one in enumerate(node.get("participant", ())):
        yield f"{path}.participant[{number}]", one
    for number, action in enumerate(node.get("action", ())):
        yield from _participants(action, f"{path}.action[{number}]")
