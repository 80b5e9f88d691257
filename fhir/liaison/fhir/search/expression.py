"""Criteria joined by and, or, not: what `_filter` is, as one more criterion of a query.

Each part is decided where it can be: an expression is exact in SQL when all of its parts are, and is decided after
decryption otherwise. The parts of an `and` are criteria of the query like any other.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from liaison.fhir.definitions import SearchParameter
from liaison.fhir.search.conditions import Condition, Not, all_of, any_of
from liaison.fhir.search.criteria import Criterion

FILTER: Final = SearchParameter(-2, "_filter", "_filter", "special", ("Resource",), "", (), ())
"""No SearchParameter of R4: it has no number that an index row could carry."""


@dataclass(frozen=True, slots=True)
class Expression(Criterion):
    """`and` and `or` over `of`, or `not` of its one part. `operands` are those of all parts, for what they cost."""

    way: Literal["and", "or", "not"] = "and"
    of: tuple[Criterion, ...] = ()


@dataclass(frozen=True, slots=True)
class Tested(Criterion):
    """A comparison that no modifier or prefix of a search says: `test` holds for one of the parameter's values."""

    test: Callable[[Any], bool] = bool


def joined(way: Literal["and", "or", "not"], of: Sequence[Criterion]) -> Expression:
    operands = tuple(operand for one in of for operand in one.operands)
    return Expression("_filter", "", FILTER, operands, way, tuple(of))


def conjuncts(criteria: Sequence[Criterion]) -> Iterator[Criterion]:
    """The criteria, each `and` as its parts."""
    for one in criteria:
        if isinstance(one, Expression) and one.way == "and":
            yield from conjuncts(one.of)
        else:
            yield one


def leaves(criteria: Sequence[Criterion]) -> Iterator[Criterion]:
    """The criteria that look at a parameter."""
    for one in criteria:
        if isinstance(one, Expression):
            yield from leaves(one.of)
        else:
            yield one


def condition(one: Expression, of: Callable[[Criterion], Condition | None]) -> Condition | None:
    """The expression as SQL, if `of` gives that of each part; None otherwise."""
    parts = [of(part) for part in one.of]
    match one.way:
        case "and":
            return all_of(parts)
        case "or":
            return any_of(parts)
        case "not":
            [part] = parts
            return None if part is None else Not(part)


def holds(one: Expression, part_holds: Callable[[Criterion], bool]) -> bool:
    match one.way:
        case "and":
            return all(map(part_holds, one.of))
        case "or":
            return any(map(part_holds, one.of))
        case "not":
            return not part_holds(one.of[0])
