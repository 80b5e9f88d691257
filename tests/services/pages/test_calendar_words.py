"""Dates in words."""

from datetime import UTC, date, datetime

import pytest

from liaison.fhir.model.dates import EARLIEST, LATEST, span
from liaison.services.pages.calendar_words import day_said, last_day_before, moment_said


@pytest.mark.parametrize(
    ("day", "pattern", "french", "english"),
    [
        (date(1948, 3, 1), "EEEE d MMMM y", "lundi 1er mars 1948", "Monday 1 March 1948"),
        (date(1975, 9, 1), "d MMM y", "1er sept. 1975", "1 Sept 1975"),
        (date(2026, 11, 11), "d MMM y", "11 nov. 2026", "11 Nov 2026"),
        (date(2026, 11, 21), "d MMMM y", "21 novembre 2026", "21 November 2026"),
    ],
)
def test_the_first_of_a_month_is_an_ordinal_in_french(day: date, pattern: str, french: str, english: str) -> None:
    assert day_said(day, pattern, "fr") == french
    assert day_said(day, pattern, "en_GB") == english


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (datetime(2026, 11, 29, 23, 17, tzinfo=UTC), "30 nov. 2026"),
        (datetime(2026, 11, 29, 22, 59, tzinfo=UTC), "29 nov. 2026"),
        (datetime(2026, 6, 30, 22, 0, tzinfo=UTC), "1er juil. 2026"),
        (LATEST, "31 déc. 9999"),
    ],
    ids=["past midnight in Paris", "before midnight", "in summer", "the last moment"],
)
def test_the_day_of_a_moment_is_that_of_paris(moment: datetime, said: str) -> None:
    assert day_said(moment, "d MMM y", "fr") == said


def test_hours_are_left_alone() -> None:
    assert moment_said(datetime(2026, 11, 1, 1, 1, tzinfo=UTC), "d MMM y, HH:mm", "fr") == "1er nov. 2026, 01:01"


@pytest.mark.parametrize(
    ("end", "day"),
    [
        (datetime(2026, 11, 29, 23, tzinfo=UTC), date(2026, 11, 29)),
        (EARLIEST, date(1, 1, 3)),
        (LATEST, date(9999, 12, 31)),
    ],
    ids=["midnight in Paris", "the first moment", "the last moment"],
)
def test_what_ends_at_midnight_ends_on_the_day_before(end: datetime, day: date) -> None:
    assert last_day_before(end) == day


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ("2026-03-05", date(2026, 3, 5)),
        ("2026-03-29", date(2026, 3, 29)),  # of 23 hours
        ("2026-10-25", date(2026, 10, 25)),  # of 25
        ("2026-03-06T00:00:00+01:00", date(2026, 3, 5)),
        ("2026-03-05T23:00:00Z", date(2026, 3, 5)),
        ("2026-03-05T23:00:01Z", date(2026, 3, 6)),
        ("2026-03-05T10:00:00+01:00", date(2026, 3, 5)),
    ],
    ids=str,
)
def test_the_last_day_of_what_ends_is_the_last_in_which_it_was(end: str, last: date) -> None:
    bounds = span(end)
    assert bounds is not None
    assert last_day_before(bounds[1]) == last
