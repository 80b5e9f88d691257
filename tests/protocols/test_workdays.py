"""Public holidays and calendar arithmetic against dates known from the almanac."""

from datetime import date

import pytest

from liaison.protocols.workdays import add_months, easter, is_working, next_working, working_days_after


@pytest.mark.parametrize(
    "day", [date(2024, 3, 31), date(2025, 4, 20), date(2026, 4, 5), date(2027, 3, 28), date(2038, 4, 25)]
)
def test_easter_falls_where_the_almanac_says(day: date) -> None:
    assert easter(day.year) == day


@pytest.mark.parametrize(
    ("day", "following"),
    [
        (date(2026, 11, 23), date(2026, 11, 23)),  # a Monday
        (date(2026, 11, 21), date(2026, 11, 23)),  # a Saturday
        (date(2026, 5, 14), date(2026, 5, 15)),  # Ascension
        (date(2026, 12, 25), date(2026, 12, 28)),  # Christmas, a Friday
        (date(2027, 5, 1), date(2027, 5, 3)),
        (date(2026, 4, 6), date(2026, 4, 7)),  # Easter Monday
    ],
)
def test_a_step_falls_on_a_working_day(day: date, following: date) -> None:
    assert next_working(day) == following
    assert is_working(following)


@pytest.mark.parametrize(
    ("day", "number", "last"),
    [
        (date(2026, 11, 23), 3, date(2026, 11, 26)),
        (date(2026, 11, 27), 1, date(2026, 11, 30)),
        (date(2026, 12, 24), 1, date(2026, 12, 28)),
        (date(2026, 11, 28), 0, date(2026, 11, 28)),
    ],
)
def test_working_days_are_counted_from_the_day_after(day: date, number: int, last: date) -> None:
    assert working_days_after(day, number) == last


@pytest.mark.parametrize(
    ("day", "months", "result"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2028, 1, 31), 1, date(2028, 2, 29)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 12, 15), 1, date(2027, 1, 15)),
        (date(2026, 10, 31), 1, date(2026, 11, 30)),
        (date(2026, 11, 23), 12, date(2027, 11, 23)),
    ],
)
def test_months_are_calendar_months(day: date, months: int, result: date) -> None:
    assert add_months(day, months) == result
