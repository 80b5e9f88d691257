"""The functions of FHIRPath that need no syntax of their own: from a list of values and plain arguments to a list.

http://hl7.org/fhirpath/N1/#functions
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from liaison.fhir.model.fhirpath.compare import distinct

Values = list[Any]
Function = Callable[..., Values]


@lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _one(test: Callable[..., Any]) -> Function:
    """A function of one string: empty for none."""

    def function(values: Values, *arguments: Any) -> Values:
        if len(values) != 1 or not isinstance(values[0], str):
            return []
        return [test(values[0], *arguments)]

    return function


def _integer(values: Values) -> Values:
    if len(values) != 1:
        return []
    text = str(values[0])
    return [int(text)] if re.fullmatch(r"[+-]?[0-9]{1,9}", text) else []


def _has_value(values: Values) -> Values:
    return [len(values) == 1 and not isinstance(values[0], dict)]


def _descend(node: Any) -> Iterator[Any]:
    for child in node.values() if isinstance(node, dict) else ():
        for item in child if isinstance(child, list) else (child,):
            if item is not None:
                yield item
                yield from _descend(item)


def _children(values: Values) -> Values:
    found: Values = []
    for node in values:
        for child in node.values() if isinstance(node, dict) else ():
            found += [item for item in child if item is not None] if isinstance(child, list) else [child]
    return found


FUNCTIONS: dict[str, Function] = {
    "empty": lambda values: [not values],
    "count": lambda values: [len(values)],
    "not": lambda values: [not values[0]] if len(values) == 1 else [],
    "first": lambda values: values[:1],
    "tail": lambda values: values[1:],
    "isDistinct": lambda values: [distinct(values)],
    "hasValue": _has_value,
    "toInteger": _integer,
    "toString": lambda values: [str(values[0])] if len(values) == 1 else [],
    "startsWith": _one(str.startswith),
    "contains": _one(lambda text, part: part in text),
    "substring": _one(lambda text, start: text[start:]),
    # The whole value, as the authors of R4's invariants meant it: their patterns have no anchors.
    "matches": _one(lambda text, pattern: _pattern(pattern).fullmatch(text) is not None),
    "replaceMatches": _one(lambda text, pattern, by: _pattern(pattern).sub(by, text)),
    "children": _children,
    "descendants": lambda values: [found for node in values for found in _descend(node)],
    # Nothing is fetched to validate: a reference resolves to nothing, which R4's invariants provide for.
    "resolve": lambda _: [],
}
"""By name; the arguments are the single values of the argument expressions."""

RESULT: dict[str, str] = {
    **dict.fromkeys(("empty", "not", "isDistinct", "hasValue", "startsWith", "contains", "matches"), "boolean"),
    **dict.fromkeys(("count", "toInteger"), "integer"),
    **dict.fromkeys(("toString", "substring", "replaceMatches"), "string"),
    **dict.fromkeys(("children", "descendants"), "*"),
}
"""The type of the result, where it is not that of the values."""
