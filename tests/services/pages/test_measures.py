"""What can be typed as a measure, and what becomes of it."""

from decimal import Decimal

import pytest

from liaison.services.pages.clinician.news import told_once
from liaison.services.pages.clinician.observations import TYPED, grouped, read_numbers
from liaison.services.pages.layout import environment
from liaison.services.pages.reading.curves import HEIGHT, LEFT, WIDTH, drawn
from liaison.services.pages.reading.measures import reckoned, usual, value, whole

WEIGHT, PRESSURE, CAT = TYPED["29463-7"], TYPED["85354-9"], TYPED["total"]


@pytest.mark.parametrize(
    ("typed", "read"),
    [("72,5", "72.5"), (" 72.50 ", "72.50"), ("19", ""), ("301", ""), ("7e1", ""), ("-72", ""), ("", "")],
)
def test_a_number_is_read_within_its_bounds(typed: str, read: str) -> None:
    assert read_numbers(typed, WEIGHT) == ([Decimal(read)] if read else [])


@pytest.mark.parametrize(("typed", "good"), [("128/76", True), ("76/128", False), ("128", False), ("128/76/1", False)])
def test_a_pressure_is_two_numbers_the_larger_first(typed: str, good: bool) -> None:
    assert bool(read_numbers(typed, PRESSURE)) is good


@pytest.mark.parametrize(("typed", "good"), [("0", True), ("40", True), ("41", False), ("12,5", False), ("", False)])
def test_a_score_is_a_whole_number_within_its_bounds(typed: str, good: bool) -> None:
    assert bool(read_numbers(typed, CAT)) is good


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


def test_what_was_measured_on_something_else_is_a_kind_of_its_own() -> None:
    pulse = {"status": "final", "code": {"text": "Pouls"}, "valueInteger": 80}
    other = {**pulse, "focus": [{"display": "fœtus"}]}

    assert [(series.code, len(series.before)) for series in grouped([pulse, other, pulse])] == [
        ("", 1),
        ("concerne : fœtus", 0),
    ]


@pytest.mark.parametrize(
    ("more", "counts"),
    [
        ({}, True),
        ({"status": "preliminary"}, True),
        ({"status": "entered-in-error"}, False),
        ({"status": "cancelled"}, False),
        ({"focus": [{"display": "fœtus"}]}, False),
        ({"modifierExtension": [{"url": "urn:x"}]}, False),
    ],
    ids=lambda value: str(next(iter(value.values()), "ordinary")) if isinstance(value, dict) else "",
)
def test_only_a_value_of_the_person_is_reckoned_with(more: dict[str, object], counts: bool) -> None:
    assert reckoned({"resourceType": "Observation", "status": "final", "valueInteger": 1, **more}) is counts


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
        ({"valueQuantity": {"value": 1e-7, "unit": "g"}}, "0,0000001 g"),
        ({"valueRange": {"low": {"value": 2, "unit": "g"}, "high": {"value": 3, "unit": "g"}}}, "2 g – 3 g"),
        ({"valueRange": {"low": {"value": 2, "unit": "g"}}}, "≥ 2 g"),
        ({"valueRange": {"high": {"value": 3, "unit": "g"}}}, "≤ 3 g"),
        ({"valueRange": {"low": {"unit": "g"}, "high": {"value": 3, "unit": "g"}}}, "≤ 3 g"),
        ({"valueRatio": {"numerator": {"value": 1}}}, "1"),
        ({"valuePeriod": {"start": "2026-03-01"}}, "début : 01/03/2026"),
        ({"valuePeriod": {"end": "2026"}}, "fin : 2026"),
        ({"valueSampledData": {"origin": {"value": 0}, "data": "1 2 E"}}, "tracé de 3 points, à lire dans un logiciel"),
        (
            {"valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "260385009"}]}},
            "SNOMED CT 260385009",
        ),
        ({"valueCodeableConcept": {"coding": [{"code": "POS"}]}}, "code POS"),
        ({"dataAbsentReason": {"coding": [{"code": "asked-declined"}]}}, "refusé"),
        ({"dataAbsentReason": {"coding": [{"code": "own-reason", "system": "urn:x"}]}}, "code own-reason"),
        (
            {"valueQuantity": {"value": 3, "unit": "kg"}, "component": [_with("2951-2", valueInteger=140)]},
            "3 kg, Sodium 140",
        ),
        (
            {"component": [_with("8480-6", dataAbsentReason={"coding": [{"code": "error"}]}), _mmhg("8462-4", 76)]},
            "Systolique erreur de mesure, Diastolique 76 mmHg",
        ),
        (
            {
                "component": [
                    {**_mmhg("8480-6", 190), "interpretation": [{"coding": [{"code": "HH"}]}]},
                    _mmhg("8462-4", 76),
                ]
            },
            "Systolique 190 mmHg (très haut), Diastolique 76 mmHg",
        ),
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


def _found(*codes: str) -> list[dict[str, object]]:
    return [{"coding": [{"code": code}]} for code in codes]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "6 mmol/L"),
        ({"status": "final", "interpretation": _found("N")}, "6 mmol/L"),
        ({"interpretation": _found("HH")}, "6 mmol/L (très haut)"),
        ({"interpretation": _found("H")}, "6 mmol/L (haut)"),
        ({"interpretation": _found("L")}, "6 mmol/L (bas)"),
        ({"interpretation": _found("LL")}, "6 mmol/L (très bas)"),
        ({"interpretation": _found("A")}, "6 mmol/L (anormal)"),
        ({"interpretation": [{"text": "à contrôler"}]}, "6 mmol/L (à contrôler)"),
        ({"interpretation": _found("H"), "status": "preliminary"}, "6 mmol/L (haut, provisoire)"),
        ({"status": "corrected"}, "6 mmol/L (corrigé)"),
    ],
    ids=str,
)
def test_a_value_is_told_with_what_the_laboratory_says_of_it(more: dict[str, object], said: str) -> None:
    assert whole({"valueQuantity": {"value": 6, "unit": "mmol/L"}, **more}) == said


@pytest.mark.parametrize(
    ("ranges", "said"),
    [
        ([{"low": {"value": 3.5, "unit": "mmol/L"}, "high": {"value": 5, "unit": "mmol/L"}}], "3,5 mmol/L – 5 mmol/L"),
        ([{"high": {"value": 5, "unit": "mg/L"}}], "≤ 5 mg/L"),
        ([{"low": {"value": 60}}], "≥ 60"),
        ([{"text": "négatif"}], "négatif"),
        ([{"high": {"value": 5}, "appliesTo": [{"text": "femmes"}]}, {"high": {"value": 7}}], "≤ 5 (femmes) ; ≤ 7"),
        ([], ""),
    ],
    ids=str,
)
def test_usual_values_say_which_end_they_have(ranges: list[dict[str, object]], said: str) -> None:
    assert usual({"referenceRange": ranges}) == said


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_a_measure_that_was_called_off_is_none(status: str) -> None:
    made = {"resourceType": "Observation", "status": status, **_with("29463-7", valueQuantity={"value": 3})}

    assert grouped([made]) == []
    assert told_once([{**made, "id": "x", "effectiveDateTime": "2026"}]) == []


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


def test_a_curve_has_what_may_be_compared_by_its_day_and_the_limits_of_the_last_value() -> None:
    def weight(day: int, value: float, unit: str = "kg", **more: object) -> dict[str, object]:
        quantity = {"value": value, "unit": unit}
        return {"resourceType": "Observation", "status": "final", "effectiveDateTime": f"2026-11-{day:02}", "valueQuantity": quantity, **more}  # fmt: skip

    usual_ = [{"low": {"value": 55, "unit": "kg"}, "high": {"value": 60, "unit": "kg"}}]
    kept = [weight(21, 58, referenceRange=usual_), weight(11, 62.5), weight(1, 57)]
    left = [weight(20, 128, "lb"), weight(19, 5, status="cancelled"), weight(18, 9, focus=[{"display": "fœtus"}])]
    curve = drawn([kept[0], *left, *kept[1:]])

    assert curve is not None
    [line] = curve.lines
    across = [x for x, _ in line]
    assert (across[0], across[1], curve.count) == (LEFT, (across[0] + across[2]) / 2, 3), "ten days each"
    assert across[-1] < WIDTH
    heights: dict[float, float] = {57: line[0][1], 62.5: line[1][1], 58: line[2][1]}
    heights |= {float(words): y for y, words in curve.limits}
    assert sorted(heights, key=lambda one: -heights[one]) == [55, 57, 58, 60, 62.5], "higher is less far from the top"
    assert all(0 < y < HEIGHT for y in heights.values())
    assert (curve.lowest, curve.highest) == ("57 kg", "62,5 kg")
    ruled = drawn(kept, [Decimal("64.5")])
    assert ruled is not None
    [(top, words)] = ruled.rules
    assert (words, 0 < top < min(y for _, y in ruled.lines[0])) == ("64,5", True)
    assert drawn(kept[:1]) is None
    limited = weight(21, 58, referenceRange=[{**usual_[0], "appliesTo": [{"text": "enfant"}]}])
    assert (drawn([limited, kept[1]]) or curve).limits == []
    pressure = [
        {**weight(day, 0), "valueQuantity": None, "component": [
            {"code": {"coding": [{"code": code}]}, "valueQuantity": {"value": value, "unit": "mmHg"}}
            for code, value in (("8480-6", high), ("8462-4", 70))
        ]} for day, high in ((9, 130), (2, 128))
    ]  # fmt: skip
    both = drawn(pressure)
    assert both is not None
    assert [len(one) for one in both.lines] == [2, 2]
