from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.fhir.model.dates import EARLIEST, LATEST, span


def at(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=UTC)  # type: ignore[misc,arg-type]  # year, month, day and so on


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2024", at(2023, 12, 31, 23), at(2024, 12, 31, 23)),
        ("2024-02", at(2024, 1, 31, 23), at(2024, 2, 29, 23)),
        ("2024-12", at(2024, 11, 30, 23), at(2024, 12, 31, 23)),
        ("2024-02-29", at(2024, 2, 28, 23), at(2024, 2, 29, 23)),
        ("2024-07-01", at(2024, 6, 30, 22), at(2024, 7, 1, 22)),
        ("2024-03-31", at(2024, 3, 30, 23), at(2024, 3, 31, 22)),  # the day on which the clock goes forward: 23 hours
        ("2024-07-01T12:00", at(2024, 7, 1, 10), at(2024, 7, 1, 10, 1)),
        ("2024-07-01T12:00:00Z", at(2024, 7, 1, 12), at(2024, 7, 1, 12, 0, 1)),
        ("2024-07-01T12:00:60Z", at(2024, 7, 1, 12, 0, 59), at(2024, 7, 1, 12, 1)),
        ("2024-07-01T12:00:00.5-05:00", at(2024, 7, 1, 17, 0, 0, 500000), at(2024, 7, 1, 17, 0, 0, 600000)),
        ("2024-07-01T12:00:00.123456789Z", at(2024, 7, 1, 12, 0, 0, 123456), at(2024, 7, 1, 12, 0, 0, 123457)),
        ("9999", at(9998, 12, 31, 23), LATEST),
        ("9999-12-31T23:59:59-14:00", LATEST, LATEST),
        ("0001-01-01", EARLIEST, at(1, 1, 1, 23, 50, 39)),  # Paris was 9 min 21 s ahead until 1911
    ],
)
def test_what_a_text_covers(text: str, low: datetime, high: datetime) -> None:
    assert span(text) == (low, high)


@pytest.mark.parametrize(
    "text",
    ["", "24", "2024-13", "2023-02-29", "2024-01-32", "0000", "2024-01-01T24:00:00Z", "2024-01-01T10:61:00Z", "2024-1-1",
     "2024-01-01 10:00", "2024-01-01T10:00:00+15:00", "2024-01-01T10:00:00-14:01",
     "2024-01-01T10:00:00+02:60", "٢٠٢٤", "2024-01-01T", "2024Z"],
)  # fmt: skip
def test_what_is_no_date(text: str) -> None:
    assert span(text) is None


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)))
def test_an_instant_lies_in_the_span_of_its_own_text(moment: datetime) -> None:
    for text in (moment.isoformat(), moment.isoformat(timespec="seconds"), moment.isoformat(timespec="milliseconds")):
        found = span(text.replace("+00:00", "Z"))
        assert found is not None
        assert found[0] <= moment < found[1]


@given(st.text("0123456789-T:.Z+", max_size=30))
def test_any_text_gives_a_span_or_none(text: str) -> None:
    found = span(text)
    assert found is None or EARLIEST <= found[0] <= found[1] <= LATEST
