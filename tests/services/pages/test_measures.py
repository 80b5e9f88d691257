"""What can be typed as a measure, and what becomes of it."""

from decimal import Decimal

import pytest

from liaison.services.pages.clinician.observations import TYPED, grouped, read_numbers

WEIGHT, PRESSURE = TYPED["29463-7"], TYPED["85354-9"]


@pytest.mark.parametrize(
    ("typed", "read"),
    [("72,5", "72.5"), (" 72.50 ", "72.50"), ("19", ""), ("301", ""), ("7e1", ""), ("-72", ""), ("", "")],
)
def test_a_number_is_read_within_its_bounds(typed: str, read: str) -> None:
    assert read_numbers(typed, WEIGHT) == ([Decimal(read)] if read else [])


@pytest.mark.parametrize(("typed", "good"), [("128/76", True), ("76/128", False), ("128", False), ("128/76/1", False)])
def test_a_pressure_is_two_numbers_the_larger_first(typed: str, good: bool) -> None:
    assert bool(read_numbers(typed, PRESSURE)) is good


def test_measures_are_told_by_kind_and_what_an_aide_noticed_is_not_one() -> None:
    def observation(text: str, value: float, system: str = "http://loinc.org") -> dict[str, object]:
        code = {"coding": [{"system": system, "code": "x"}], "text": text}
        return {"resourceType": "Observation", "status": "final", "code": code, "valueQuantity": {"value": value}}

    noticed = observation("Repas", 1, "https://liaison.example/fhir/CodeSystem/home-care")
    wrong = {**observation("Poids", 9), "status": "entered-in-error"}
    found = grouped([observation("Poids", 72), noticed, wrong, observation("Pouls", 80), observation("Poids", 71)])

    assert [(series.name, series.last["valueQuantity"]["value"], len(series.before)) for series in found] == [
        ("Poids", 72, 1),
        ("Pouls", 80, 0),
    ]
