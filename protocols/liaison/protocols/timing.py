"""Dates from FHIR's Duration and Timing, the parts that protocols use: calendar days, weeks, months, years."""

from datetime import date, timedelta
from typing import Any, Final

from liaison.protocols.days import first_day, named_day
from liaison.protocols.workdays import add_months

Tree = dict[str, Any]

_DAYS: Final = {"d": 1, "wk": 7}
_MONTHS: Final = {"mo": 1, "a": 12}
_SHORTER: Final = ("h", "min", "s")
UNITS: Final = frozenset({*_DAYS, *_MONTHS, *_SHORTER})
_MONTH_DAYS: Final = 30
_SEASON_DAYS: Final = 90
_MOST: Final = 1000
_WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def shifted(day: date, duration: Tree) -> date:
    """`day` and a Duration in d, wk, mo or a (UCUM), parts of a month as so much of thirty days; shorter ones stay on the day.
    ValueError for other units, and for none (drt-1 of R4 asks for a code)."""
    value, unit = duration.get("value", 0), duration.get("code", "" if duration.get("value") else "d")
    if unit in _MONTHS:
        months = int(value * _MONTHS[unit])
        return add_months(day, months) + timedelta(days=round((value * _MONTHS[unit] - months) * _MONTH_DAYS))
    if unit in _DAYS:
        return day + timedelta(days=round(value * _DAYS[unit]))
    if unit in _SHORTER:
        return day
    raise ValueError(f"a protocol counts in {', '.join((*_DAYS, *_MONTHS))}, not in '{unit}'")


def back(day: date, duration: Tree) -> date:
    """So much before that day."""
    return shifted(day, {**duration, "value": -duration.get("value", 0)})


def aged(born: date, age: Tree) -> date:
    """The day on which the person has that age."""
    return shifted(born, age)


def occurrences(
    repeat: Tree, on: date, last: date | None, horizon: int, season: str = ""
) -> list[tuple[date | None, date]]:
    """(opens, due) of a recurring step from `on` over `horizon` months; at least one, unless its bounds have ended. On each of the days of
    the week that a weekly timing names without a frequency. ValueError where it does not say how often.

    Recurrence follows the last completion when there is one: then the first may lie in the past, late with its true
    date, and the next ones count from today. `season` ('MM-DD') opens a yearly step on that day, for 90 days.
    """
    if season:
        return [_season(season, on, last)]
    if repeat.get("count") == 1 and "period" not in repeat:
        return [(None, _on_day(last or on, repeat))]
    if "period" not in repeat or "periodUnit" not in repeat:
        raise ValueError("how often is not said: repeat.period and repeat.periodUnit are needed")
    starts, limit = _bounds(repeat, on, add_months(on, horizon))
    if limit < on:
        return []
    length, unit, times = repeat["period"], repeat["periodUnit"], max(1, int(repeat.get("frequency", 1)))
    if len(repeat.get("dayOfWeek", ())) > 1 and (length, unit, "frequency" in repeat) == (1, "wk", False):
        unit = "d"  # each of the days that it names
    bounded = "count" not in repeat or any(name.startswith("bounds") for name in repeat)
    due = _on_day(_next(last or starts, length, unit, times), repeat)
    found: list[tuple[date | None, date]] = [(None, due)]
    while len(found) < repeat.get("count", _MOST):
        due = _on_day(_next(max(due, on), length, unit, times), repeat)
        if bounded and due > limit:
            break
        found.append((None, due))
    return found


def _next(day: date, length: float, unit: str, times: int) -> date:
    """`times` to a period: a period later, or its even part, in days; the next day at the soonest, for a step is done once a day."""
    later = shifted(day, {"value": length, "code": unit})
    return day + max(timedelta(days=1), timedelta(days=(later - day).days // times))


def _bounds(repeat: Tree, on: date, limit: date) -> tuple[date, date]:
    """(from when, until when): within bounds[x], never beyond the horizon."""
    if period := repeat.get("boundsPeriod"):
        starts = first_day(period.get("start")) or on
        ends = named_day(period.get("end")) or limit
        return max(starts, on), min(ends, limit)
    longest = repeat.get("boundsDuration") or repeat.get("boundsRange", {}).get("high")
    return on, min(shifted(on, longest), limit) if longest else limit


def _on_day(day: date, repeat: Tree) -> date:
    """The first day from that one that is a dayOfWeek of the timing."""
    wanted = {_WEEK.index(one) for one in repeat.get("dayOfWeek", ()) if one in _WEEK}
    while wanted and day.weekday() not in wanted:
        day += timedelta(days=1)
    return day


def _season(season: str, on: date, last: date | None) -> tuple[date, date]:
    month, day = (int(part) for part in season.split("-"))
    opens = date(on.year - 1, month, day)
    while opens + timedelta(days=_SEASON_DAYS) < on or (last is not None and last >= opens):
        opens = date(opens.year + 1, month, day)
    return opens, opens + timedelta(days=_SEASON_DAYS)
