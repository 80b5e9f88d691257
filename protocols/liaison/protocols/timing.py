"""Dates from FHIR's Duration and Timing, the parts that protocols use: calendar days, weeks, months, years."""

from datetime import date, timedelta
from typing import Any, Final

from liaison.protocols.workdays import add_months

Tree = dict[str, Any]

_DAYS: Final = {"d": 1, "wk": 7}
_MONTHS: Final = {"mo": 1, "a": 12}
_SEASON_DAYS: Final = 90


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


def occurrences(
    repeat: Tree, on: date, last: date | None, horizon: int, season: str = ""
) -> list[tuple[date | None, date]]:
    """(opens, due) of a recurring step from `on` over `horizon` months; at least one.

    Recurrence follows the last completion when there is one: then the first may lie in the past, late with its true
    date, and the next ones count from today. `season` ('MM-DD') opens a yearly step on that day, for 90 days.
    """
    if season:
        return [_season(season, on, last)]
    period = {"value": repeat.get("period", 1), "code": repeat.get("periodUnit", "mo")}
    limit = add_months(on, horizon)
    due = shifted(last or on, period)
    found: list[tuple[date | None, date]] = [(None, due)]
    while len(found) < repeat.get("count", 1000):
        due = shifted(max(due, on), period)
        if due > limit and "count" not in repeat:
            break
        found.append((None, due))
    return found


def _season(season: str, on: date, last: date | None) -> tuple[date, date]:
    month, day = (int(part) for part in season.split("-"))
    opens = date(on.year - 1, month, day)
    while opens + timedelta(days=_SEASON_DAYS) < on or (last is not None and last >= opens):
        opens = date(opens.year + 1, month, day)
    return opens, opens + timedelta(days=_SEASON_DAYS)
