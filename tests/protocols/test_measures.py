"""Indicators: populations as searches, and what may be said of them when few are counted."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.fhir.model import validate
from liaison.protocols.library import shipped
from liaison.protocols.measures import SMALLEST, Told, populations, report, told, year_before

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
