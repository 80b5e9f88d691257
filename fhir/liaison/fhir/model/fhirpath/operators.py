"""The operators of FHIRPath, three-valued: what is empty is neither true nor false. http://hl7.org/fhirpath/N1/#operations"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from liaison.fhir.model.fhirpath.compare import order
from liaison.fhir.model.fhirpath.parse import ParseError

Values = list[Any]


@dataclass(frozen=True, slots=True)
class Around:
    """What the variables stand for. `resource` may be contained in `root`; `context` is what the invariant is about."""

    resource: dict[str, Any]
    root: dict[str, Any]
    context: Any


Evaluate = Callable[[Any, Around], Values]


def _truth(values: Values) -> bool | None:
    """A single value that is no boolean counts as true."""
    return None if not values else values[0] is not False


def operation(operator: str, left: Evaluate, right: Evaluate) -> Evaluate:
    """The function of an operator between two others. ParseError for one that the subset does not have."""
    match operator:
        case "and":
            return lambda item, around: _and(_truth(left(item, around)), lambda: _truth(right(item, around)))
        case "or":
            return lambda item, around: _or(_truth(left(item, around)), lambda: _truth(right(item, around)))
        case "implies":
            return lambda item, around: _or(_not(_truth(left(item, around))), lambda: _truth(right(item, around)))
        case "xor":
            return lambda item, around: _xor(_truth(left(item, around)), _truth(right(item, around)))
        case _:
            combine = _OPERATORS.get(operator)
            if combine is None:
                raise ParseError(f"no operator {operator} in the subset")
            return lambda item, around: combine(left(item, around), right(item, around))


def _and(left: bool | None, right: Callable[[], bool | None]) -> Values:
    if left is False or (other := right()) is False:
        return [False]
    return [True] if left and other else []


def _or(left: bool | None, right: Callable[[], bool | None]) -> Values:
    if left or (other := right()):
        return [True]
    return [] if left is None or other is None else [False]


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _xor(left: bool | None, right: bool | None) -> Values:
    return [] if left is None or right is None else [left != right]


def _equal(left: Values, right: Values) -> Values:
    if not left or not right:
        return []
    return [len(left) == len(right) and all(map(_same, left, right))]


def _same(left: Any, right: Any) -> bool:
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _ordered(test: Callable[[int], bool]) -> Callable[[Values, Values], Values]:
    def compare(left: Values, right: Values) -> Values:
        if len(left) != 1 or len(right) != 1:
            return []
        found = order(left[0], right[0])
        return [found is None or test(found)]

    return compare


def _sum(left: Values, right: Values) -> Values:
    return [left[0] + right[0]] if len(left) == len(right) == 1 else []


def _text(left: Values, right: Values) -> Values:
    return ["".join(str(value) for values in (left, right) for value in values[:1])]


def _contains(left: Values, right: Values) -> Values:
    """With several on the right (tim-9 asks it of a list) any of them counts."""
    return [any(_same(value, wanted) for value in left for wanted in right)] if right else []


_OPERATORS: dict[str, Callable[[Values, Values], Values]] = {
    "=": _equal,
    "!=": lambda left, right: [not found for found in _equal(left, right)],
    "<": _ordered(lambda found: found < 0),
    ">": _ordered(lambda found: found > 0),
    "<=": _ordered(lambda found: found <= 0),
    ">=": _ordered(lambda found: found >= 0),
    "+": _sum,
    "&": _text,
    "in": lambda left, right: _contains(right, left),
    "contains": _contains,
}
