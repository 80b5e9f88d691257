"""_lastUpdated: meta.lastUpdated, an instant of millisecond precision, which every version row has in clear."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

from liaison.fhir.definitions import SearchParameter
from liaison.fhir.search import date
from liaison.fhir.search.conditions import Condition, Updated, any_of
from liaison.fhir.search.criteria import Context, Criterion

MODIFIERS: Final[frozenset[str]] = frozenset()
_PRECISION: Final = timedelta(milliseconds=1)


def operand(text: str, modifier: str, parameter: SearchParameter, context: Context) -> Any:
    return date.operand(text, modifier, parameter, context)


def index(value: Any) -> Iterable[bytes]:
    return ()


def narrow(criterion: Criterion) -> Condition | None:
    return any_of(Updated(limit.bounds, limit.inverted) for limit in criterion.operands)


def matches(values: Sequence[Any], criterion: Criterion) -> bool:
    """`values` are instants."""
    return any(limit.hold(at, at + _PRECISION) for at in values for limit in criterion.operands)
