"""date parameters: ranges compared with ranges, at the precision each is written with (R4 search.html#date, #prefix).

`2024-05` is the range from the first instant of May to the first of June. Every prefix is exact in SQL on the date
index; types whose dates never stand in clear (Patient, RelatedPerson, Person) are decided after decryption.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from liaison.fhir.definitions import SearchParameter
from liaison.fhir.errors import BadRequest
from liaison.fhir.model import dates
from liaison.fhir.model.values import DateRange
from liaison.fhir.search.conditions import Bound, Condition, Range, any_of
from liaison.fhir.search.criteria import Context, Criterion
from liaison.fhir.search.escapes import unescape
from liaison.fhir.search.prefixes import prefixed

MODIFIERS: Final[frozenset[str]] = frozenset()


class Span(NamedTuple):
    """A prefix and the range from `low` to just before `high`, both in UTC."""

    prefix: str
    low: datetime
    high: datetime


class Limits(NamedTuple):
    """What a range must satisfy: every bound, or (inverted) not every bound."""

    bounds: tuple[Bound, ...]
    inverted: bool = False

    def hold(self, low: datetime | None, high: datetime | None) -> bool:
        """For the range of a value. An open end is the first or last moment of the calendar, which asyncpg writes as
        PostgreSQL's -infinity and infinity: SQL and Python say the same."""
        low, high = low or dates.EARLIEST, high or dates.LATEST
        return all(_meets(b, low if b.side == "low" else high) for b in self.bounds) != self.inverted


def operand(text: str, modifier: str, parameter: SearchParameter, context: Context) -> Any:
    return limits(span(text), context.now)


def span(text: str) -> Span:
    """What a value says, or BadRequest."""
    prefix, rest = prefixed(unescape(text))
    # In a query string a plus sign that was not percent-encoded arrives as a space.
    found = dates.span(rest.replace(" ", "+"))
    if found is None:
        raise BadRequest(f"'{rest[:40]}' is not a date such as 2024, 2024-05, 2024-05-17 or 2024-05-17T09:30:00+02:00.")
    return Span(prefix, *found)


def limits(asked: Span, now: datetime) -> Limits:
    """The comparison with [low, high) that each prefix means, for the range of a value."""
    prefix, low, high = asked
    match prefix:
        case "eq":
            return Limits((Bound("low", ">=", low), Bound("high", "<=", high)))
        case "ne":
            return Limits((Bound("low", ">=", low), Bound("high", "<=", high)), inverted=True)
        case "gt":
            return Limits((Bound("high", ">", high),))
        case "lt":
            return Limits((Bound("low", "<", low),))
        case "ge":  # reaches beyond, or lies within: not (ends within and begins before)
            return Limits((Bound("low", "<", low), Bound("high", "<=", high)), inverted=True)
        case "le":
            return Limits((Bound("low", ">=", low), Bound("high", ">", high)), inverted=True)
        case "sa":
            return Limits((Bound("low", ">=", high),))
        case "eb":
            return Limits((Bound("high", "<=", low),))
        case _:  # ap: within a tenth of the time between then and now
            margin = abs(now - low) / 10
            return Limits((Bound("low", "<", _shifted(high, margin)), Bound("high", ">", _shifted(low, -margin))))


def index(value: DateRange) -> Iterable[bytes]:
    return ()


def narrow(criterion: Criterion) -> Condition | None:
    return any_of(Range(criterion.parameter.number, limit.bounds, limit.inverted) for limit in criterion.operands)


def matches(values: Sequence[DateRange], criterion: Criterion) -> bool:
    return any(limit.hold(value.low, value.high) for value in values for limit in criterion.operands)


def _shifted(moment: datetime, by: timedelta) -> datetime:
    """The sum, or the open end where it would lie beyond."""
    try:
        return moment + by
    except OverflowError:
        return dates.LATEST if by > timedelta() else dates.EARLIEST


def _meets(bound: Bound, end: datetime) -> bool:
    match bound.operator:
        case "<":
            return end < bound.moment
        case "<=":
            return end <= bound.moment
        case ">":
            return end > bound.moment
        case _:
            return end >= bound.moment
