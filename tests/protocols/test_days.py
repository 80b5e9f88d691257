"""The day that a FHIR date names."""

from datetime import date

import pytest

from liaison.protocols.days import named_day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-29", date(2026, 11, 29)),
        ("2026-11-29T23:30:00-05:00", date(2026, 11, 29)),
        ("2026-11", date(2026, 11, 30)),
        ("2026-03", date(2026, 3, 31)),
        ("2026-10", date(2026, 10, 31)),
        ("2024-02", date(2024, 2, 29)),
        ("2026", date(2026, 12, 31)),
        ("2016-12-31T23:59:60Z", date(2016, 12, 31)),
        ("9999-12-31T23:59:59Z", date(9999, 12, 31)),
        ("9999", date(9999, 12, 31)),
        ("0001", date(1, 12, 31)),
        ("", None),
        (None, None),
        ("demain", None),
    ],
)
def test_a_month_or_a_year_ends_with_its_last_day(text: str | None, day: date | None) -> None:
    assert named_day(text) == day
