"""Indicators: populations as searches, and what may be said of them when few are counted."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.fhir.model import validate
from liaison.protocols.library import shipped
from liaison.protocols.measures import (
    SMALLEST,
    Told,
    calendar_year,
    populations,
    report,
    timeless,
    told,
    told_beside,
    year_before,
)

Tree = dict[str, Any]
START, END = date(2025, 11, 28), date(2026, 11, 28)


def people(count: int, first: int = 0) -> set[str]:
    return {str(number) for number in range(first, first + count)}


@pytest.mark.parametrize(
    ("whole", "part", "said"),
    [
        (30, 15, Told(30, 15)),
        (30, 10, Told(30, None)),  # few
        (30, 20, Told(30, None)),  # all but few
        (22, 11, Told(22, 11)),
        (12, 11, Told(12, None)),
        (11, 11, Told(11, None)),
        (11, 0, Told(11, None)),
        (10, 5, Told(None, None)),
        (0, 0, Told(None, None)),
    ],
)
def test_small_counts_are_hidden_and_those_that_give_them_away(whole: int, part: int, said: Told) -> None:
    assert told(people(whole), people(part)) == said


def test_the_numerator_is_taken_within_the_denominator() -> None:
    assert told(people(40), people(60, first=20)) == Told(40, 20)


@given(st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)))
def test_no_count_of_few_people_follows_from_what_is_said(whole: set[int], part: set[int]) -> None:
    said = told({str(one) for one in whole}, {str(one) for one in part})

    for count in (said.denominator, said.numerator):
        assert count is None or count >= SMALLEST
    if said.numerator is not None:
        assert said.denominator is not None
        assert said.denominator - said.numerator >= SMALLEST


@pytest.mark.parametrize(
    ("year", "own", "said"),
    [
        ((60, 30), (60, 30), Told(60, 30)),  # the same people
        ((60, 30), (60, 19), Told(60, 30)),  # eleven apart
        ((60, 30), (60, 29), Told(60, None)),  # one of them came on a day of one period alone
        ((60, 30), (60, 40), Told(60, None)),
        ((60, 30), (61, 31), Told(None, None)),
        ((60, 30), (80, 30), Told(60, 30)),
        ((40, 20), (60, 40), Told(40, 20)),
        ((60, 30), (60, 35), Told(60, None)),
        ((60, 5), (60, 30), Told(60, None)),
    ],
)
def test_a_year_is_not_told_where_it_differs_by_few_from_the_measure_s_own_period(
    year: tuple[int, int], own: tuple[int, int], said: Told
) -> None:
    asked, beside = ((people(whole), people(part)) for whole, part in (year, own))
    assert told_beside(asked, beside) == said


PEOPLE = st.sets(st.integers(0, 40).map(str))


@given(PEOPLE, PEOPLE, PEOPLE, PEOPLE)
def test_no_difference_of_two_periods_tells_of_few_people(
    whole: set[str], part: set[str], own_whole: set[str], own_part: set[str]
) -> None:
    said, own = told_beside((whole, part), (own_whole, own_part)), told(own_whole, own_part)

    if said.denominator is not None and own.denominator is not None:
        assert not 0 < len(whole ^ own_whole) < SMALLEST
    if said.numerator is not None and own.numerator is not None:
        assert not 0 < len((whole & part) ^ (own_whole & own_part)) < SMALLEST
        assert not 0 < len((whole - part) ^ (own_whole - own_part)) < SMALLEST


@pytest.mark.parametrize(
    ("start", "end", "year"),
    [
        ("2026", "2026", 2026),
        ("2026-01", "2026-12", 2026),
        ("2026-01-01", "2026-12-31", 2026),
        ("2026", "2026-12-31", 2026),
        ("2026-01-02", "2026-12-31", None),
        ("2026-01-01", "2026-12-30", None),
        ("2025-01-01", "2026-12-31", None),
        ("2026-12", "2026-12", None),
        ("2026-01", "2026-01", None),
        ("2026", "", None),
        ("", "2026", None),
    ],
)
def test_a_period_is_a_whole_calendar_year(start: str, end: str, year: int | None) -> None:
    assert calendar_year(start, end) == year


def test_a_year_ends_and_the_report_says_what_is_of_today() -> None:
    [measure] = [one for one in shipped().of_type("Measure") if one["name"] == "SpirometrieAnnuelle"]
    first, last = date(2025, 1, 1), date(2025, 12, 31)
    denominator, numerator = populations(measure, first, last)
    assert denominator.query == populations(measure, first)[0].query
    assert numerator.query.endswith("&date=ge2025-01-01&date=le2025-12-31")

    tree = report(measure, Told(30, 15), first, last, made_on=END, of_today=timeless(measure))
    validate(tree, "MeasureReport")
    assert (tree["status"], tree["date"], tree["period"]["end"]) == ("complete", "2026-11-28", "2025-12-31")
    [issue] = tree["contained"][0]["issue"]
    assert issue["diagnostics"].endswith(": denominator.")
    both = report(measure, Told(30, 15), first, last, 40, of_today=timeless(measure))
    validate(both, "MeasureReport")
    assert [one["code"] for one in both["contained"][0]["issue"]] == ["incomplete", "informational"]


def test_a_report_of_each_shipped_measure_is_valid_and_says_what_is_masked() -> None:
    for measure in shipped().of_type("Measure"):
        full, hidden = report(measure, Told(30, 15), START, END), report(measure, Told(12, None), START, END)
        for tree in (full, hidden):
            validate(tree, "MeasureReport")
        assert full["group"][0]["measureScore"]["value"] == 50
        assert "measureScore" not in hidden["group"][0]
        numerator = hidden["group"][0]["population"][1]
        assert "count" not in numerator
        assert numerator["_count"]["extension"][0]["valueCode"] == "masked"


def test_a_report_of_an_incomplete_index_is_pending_and_says_how_far_it_is() -> None:
    [measure] = [one for one in shipped().of_type("Measure") if one["name"] == "SpirometrieAnnuelle"]
    tree = report(measure, Told(30, 15), START, END, 40)

    validate(tree, "MeasureReport")
    assert tree["status"] == "pending"
    [outcome] = tree["contained"]
    assert tree["extension"][0]["valueReference"]["reference"] == f"#{outcome['id']}"
    assert "40 %" in outcome["issue"][0]["diagnostics"]
    assert report(measure, Told(30, 15), START, END)["status"] == "complete"


def test_the_period_is_the_twelve_months_before() -> None:
    assert year_before(END) == START
    [measure] = [one for one in shipped().of_type("Measure") if one["name"] == "SpirometrieAnnuelle"]
    denominator, numerator = populations(measure, START)
    assert denominator.query.startswith("CarePlan?status=active&")
    assert numerator.query.endswith("date=ge2025-11-28")


@pytest.mark.parametrize(
    "criteria",
    [
        {"language": "text/fhirpath", "expression": "Patient?active=true"},
        {"language": "application/x-fhir-query", "expression": "Patient"},
        {"language": "application/x-fhir-query", "expression": "Patient?birthdate={{%end}}"},
    ],
)
def test_what_is_not_a_search_is_refused(criteria: Tree) -> None:
    one = {"code": {"coding": [{"code": "denominator"}]}, "criteria": criteria}
    with pytest.raises(ValueError, match="population"):
        populations({"group": [{"population": [one]}]}, START)
