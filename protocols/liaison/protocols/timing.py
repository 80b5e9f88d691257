"""Dates from FHIR's Duration and Timing, the parts that protocols use: calendar days, weeks, months, years."""

from datetime import date, timedelta
from typing import Any, Final

from liaison.protocols.workdays import add_months

Tree = dict[str, Any]

_DAYS: Final = {"d": 1, "wk": 7}
_MONTHS: Final = {"mo": 1, "a": 12}
_SEASON_DAYS: Final = 90
_WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def shifted(day: date, duration: Tree) -> date:
    """`day` and a Duration in d, wk, mo or a (UCUM); shorter ones stay on the day. ValueError for other units."""
    value, unit = duration.get("value", 0), duration.get("code", "d")
    if unit in _MONTHS:
        return add_months(day, int(value) * _MONTHS[unit])
    if unit in _DAYS:
        return day + timedelta(days=int(value) * _DAYS[unit])
    if unit in ("h", "min", "s"):
        return day
    raise ValueError(f"a protocol cannot count in '{unit}'")


def back(day: date, duration: Tree) -> date:
    """So much before that day."""
    return shifted(day, {**duration, "value": -int(duration.get("value", 0))})


def aged(born: date, age: Tree) -> date:
    """The day on which the person has that age."""
    return shifted(born, age)


def occurrences(
    repeat: Tree, on: date, last: date | None, horizon: int, season: str = ""
) -> list[tuple[date | None, date]]:
    """(opens, due) of a recurring step from `on` over `horizon` months; at least one.

    Recurrence follows the last completion when there is one: then the first may lie in the past, late with its true
    date, and the next ones count from today. `season` ('MM-DD') opens a yearly step on that day, for 90 days.
    """
    if season:
        return [_season(season, on, last)]
    starts, limit = _bounds(repeat, on, add_months(on, horizon))
    length, unit = repeat.get("period", 1), repeat.get("periodUnit", "mo")
    times = max(1, int(repeat.get("frequency", 1)))
    due = _next(last or starts, length, unit, times)
    found: list[tuple[date | None, date]] = [(None, _on_day(due, repeat))]
    while len(found) < repeat.get("count", 1000):
        due = _next(max(due, on), length, unit, times)
        if due > limit and "count" not in repeat:
            break
        found.append((None, _on_day(due, repeat)))
    return found


def _next(day: date, length: float, unit: str, times: int) -> date:
    """`times` to a period: a period later, or its even part, in days."""
    if times == 1:
        return shifted(day, {"value": length, "code": unit})
    whole = (shifted(day, {"value": length, "code": unit}) - day).days
    return day + timedelta(days=max(1, whole // times))


def _bounds(repeat: Tree, on: date, limit: date) -> tuple[date, date]:
    """(from when, until when): within bounds[x], never beyond the horizon."""
    if period := repeat.get("boundsPeriod"):
        starts = date.fromisoformat(str(period["start"])[:10]) if "start" in period else on
        ends = date.fromisoformat(str(period["end"])[:10]) if "end" in period else limit
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
