"""Dates against resources as they are written: precision, zones, periods, timings, instants."""

from typing import Any

import pytest

from liaison.fhir.definitions import search_parameters
from liaison.fhir.model import extract

from .test_types import decided


def held(element: str, value: Any) -> list[Any]:
    tree = {"resourceType": "Observation", f"effective{element}": value}
    return list(extract("Observation", tree).get(search_parameters("Observation")["date"].number, ()))


@pytest.mark.parametrize(
    ("asked", "written", "expected"),
    [  # the examples of R4 search.html#date; without a zone the clock is that of Paris
        ("eq2013-01-14", "2013-01-14T00:00:00+01:00", True),
        ("eq2013-01-14", "2013-01-14T10:00:00+01:00", True),
        ("eq2013-01-14", "2013-01-15T00:00:00+01:00", False),
        ("ne2013-01-14", "2013-01-15T00:00:00+01:00", True),
        ("ne2013-01-14", "2013-01-14T10:00:00+01:00", False),
        ("lt2013-01-14T10:00", "2013-01-14", True),
        ("gt2013-01-14T10:00", "2013-01-14", True),
        ("2013-01-14T10:00", "2013-01-14T10:00:59+01:00", True),
        ("2013-01-14T10:00", "2013-01-14T10:01:00+01:00", False),
        ("2013-01-14T10:00", "2013-01-14", False),
        ("2013-01-14T10:00Z", "2013-01-14T11:00:30+01:00", True),
        ("2013-01-14T10:00:00Z", "2013-01-14T05:00:00-05:00", True),
        ("2013-01-14T10:00:00.5Z", "2013-01-14T10:00:00.500Z", True),
        ("2013-01-14T10:00:00.50Z", "2013-01-14T10:00:00.5Z", False),  # the record says less than was asked
        ("2013-01-14", "2013-01-14T23:30:00-05:00", False),  # the 15th in Paris
        ("2013-01-15", "2013-01-14T23:30:00-05:00", True),
        ("2013-01-14", "2013-01-14T22:30:00Z", True),
        ("2013-01-14", "2013-01-14T23:30:00Z", False),
        ("2013-07-14", "2013-07-14T22:30:00Z", False),  # summer time
        ("2013-07", "2013-06-30T22:00:00Z", True),
        ("2013", "2012-12-31T23:00:00Z", True),
        ("sa2013", "2014", True),
        ("eb2013", "2012-12", True),
        ("2024-03-31", "2024-03-31", True),  # 23 hours long
        ("2024-10-27T23:59", "2024-10-27T23:59:00+01:00", True),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z", True),
        ("2024-02-29", "2024-02-29", True),
        ("2024-01-01T00:00:00+14:00", "2023-12-31T10:00:00Z", True),
    ],
)
def test_dates_are_ranges_of_the_precision_written(asked: str, written: str, expected: bool) -> None:
    assert decided("Observation", "date", asked, *held("DateTime", written)) is expected


@pytest.mark.parametrize(
    ("asked", "written", "expected"),
    [
        ("ge2013-03-14", {"start": "2013-01-21"}, True),
        ("le2013-03-14", {"start": "2013-01-21"}, True),
        ("sa2013-03-14", {"start": "2013-03-15"}, True),
        ("sa2013-03-14", {"start": "2013-01-21"}, False),
        ("sa2013-03-14", {"end": "2013-01-21"}, False),
        ("eb2013-03-14", {"start": "2013-03-15"}, False),
        ("eb2013-03-14", {"start": "2013-01-21"}, False),
        ("eb2013-03-14", {"end": "2013-01-21"}, True),
        ("ap2013-03-14", {"start": "2013-03-14", "end": "2013-03-14"}, True),
        ("2013", {"start": "2013-01", "end": "2013-12"}, True),
        ("2013-01", {"start": "2013-01-31", "end": "2013-02-01"}, False),
        ("2013-01-31", {"start": "2013-01-31T08:00:00+01:00", "end": "2013-01-31"}, True),
        ("ge2999", {"start": "2013"}, True),
        ("lt1000", {"end": "2013"}, True),
        ("ne2013", {"start": "2013"}, True),
        ("2013", {}, False),
    ],
)
def test_periods_reach_as_far_as_they_say(asked: str, written: dict[str, str], expected: bool) -> None:
    assert decided("Observation", "date", asked, *held("Period", written)) is expected


@pytest.mark.parametrize(
    ("asked", "written", "expected"),
    [  # only the outer limits matter
        ("ge2013-02-01", {"repeat": {"boundsPeriod": {"start": "2013-01-31", "end": "2013-03-24"}}}, True),
        ("gt2013-03-24", {"repeat": {"boundsPeriod": {"start": "2013-01-31", "end": "2013-03-24"}}}, False),
        ("2013", {"repeat": {"boundsPeriod": {"start": "2013-01-31", "end": "2013-03-24"}}}, True),
        ("2013-02", {"event": ["2013-02-01", "2013-02-20"]}, True),
        ("2013-02-01", {"event": ["2013-02-01", "2013-02-20"]}, False),
        ("2013", {"repeat": {"frequency": 2}}, False),
    ],
)
def test_timings_have_outer_limits(asked: str, written: dict[str, Any], expected: bool) -> None:
    assert decided("Observation", "date", asked, *held("Timing", written)) is expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("2013-01-14T10:00:00.000Z", True),
        ("2013-01-14T10:00:00.0Z", True),
        ("2013-01-14T10:00:00Z", True),
        ("2013-01-14T11:00", True),
        ("2013-01-14T10:00:00.001Z", False),
        ("gt2013-01-14T10:00:00Z", False),
        ("sa2013-01-14T09:59:59Z", True),
        ("eb2013-01-14T10:00:00.001Z", True),
        ("ge2013-01-14T10:00:00Z", True),
        ("lt2013-01-14T10:00:00Z", False),
    ],
)
def test_instants_are_points(asked: str, expected: bool) -> None:
    assert decided("Observation", "date", asked, *held("Instant", "2013-01-14T10:00:00Z")) is expected


def test_approximately_is_a_tenth_of_the_time_until_now() -> None:
    """The searches of these tests begin on 1 January 2026: ten years back, a year to both sides."""
    for written, expected in (("2015-02", True), ("2016-12", True), ("2014-11", False), ("2017-03", False)):
        assert decided("Observation", "date", "ap2016-01-01", *held("DateTime", written)) is expected
