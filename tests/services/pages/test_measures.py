"""What can be typed as a measure, and what becomes of it."""

from decimal import Decimal

import pytest

from liaison.services.pages.clinician.observations import TYPED, grouped, read_numbers
from liaison.services.pages.layout import environment
from liaison.services.pages.reading.measures import value

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


def _with(code: str, **value: object) -> dict[str, object]:
    concept = {"coding": [{"system": "http://loinc.org", "code": code}]} if code else {}
    return {"code": concept, **value} if concept else value


def _mmhg(code: str, number: int) -> dict[str, object]:
    return _with(code, valueQuantity={"value": number, "code": "mm[Hg]"})


@pytest.mark.parametrize(
    ("observation", "said"),
    [
        ({"valueQuantity": {"value": 5, "comparator": "<", "unit": "mg/L"}}, "< 5 mg/L"),
        ({"valueQuantity": {"value": 0.5, "comparator": ">=", "unit": "g/L"}}, "≥ 0,5 g/L"),
        ({"valueQuantity": {"unit": "kg"}}, ""),
        ({"valueRange": {"low": {"value": 2, "unit": "g"}, "high": {"value": 3, "unit": "g"}}}, "2 g – 3 g"),
        ({"valueRange": {"low": {"value": 2, "unit": "g"}}}, "2 g"),
        ({"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}}}, "1/128"),
        ({"valuePeriod": {"start": "2026-03-01", "end": "2026-03-04"}}, "01/03/2026 – 04/03/2026"),
        ({"valueDateTime": "2026-03"}, "03/2026"),
        ({"valueTime": "08:30:00"}, "08:30:00"),
        ({"valueInteger": 0}, "0"),
        ({"valueBoolean": False}, "non"),
        ({"dataAbsentReason": {"text": "Refusé"}}, "Refusé"),
        ({}, ""),
        ({"component": [_mmhg("8462-4", 76), _mmhg("8480-6", 128)]}, "128/76 mmHg"),
        ({"component": [_mmhg("8480-6", 128), _mmhg("8462-4", 76)]}, "128/76 mmHg"),
        ({"component": [_mmhg("8480-6", 128)]}, "Systolique 128 mmHg"),
        (
            {
                "component": [
                    _with("2951-2", valueQuantity={"value": 140, "unit": "mmol/L"}),
                    _with("2823-3", valueQuantity={"value": 4, "unit": "mmol/L"}),
                ]
            },
            "Sodium 140 mmol/L, Potassium 4 mmol/L",
        ),
    ],
    ids=str,
)
def test_a_value_is_told_whole(observation: dict[str, object], said: str) -> None:
    assert value(observation) == said


def test_a_kind_that_nobody_named_is_shown_with_its_code() -> None:
    made = {"resourceType": "Observation", "status": "final", **_with("99999-9", valueQuantity={"value": 3})}

    assert [(series.name, series.code) for series in grouped([made])] == [("Mesure sans nom", "LOINC 99999-9")]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_name_with_a_per_cent_sign_is_shown_as_it_is(language: str) -> None:
    page = environment(language).from_string("{{ name | spoken }}")

    assert page.render(name="VEMS (% de la théorique)") == "VEMS (% de la théorique)"
    assert page.render(name="Poids") == {"fr": "Poids", "en": "Weight"}[language]


def test_one_kind_has_one_name_whatever_its_software_called_it() -> None:
    named = {"coding": [{"system": "http://loinc.org", "code": "29463-7", "display": "Body Weight"}]}
    english = {"resourceType": "Observation", "status": "final", "code": named, "valueQuantity": {"value": 71}}
    french = {**english, "code": {**named, "text": "Poids"}}

    assert [(series.name, len(series.before)) for series in grouped([english, french])] == [("Poids", 1)]
