from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from liaison.fhir.definitions import RESOURCE_TYPES, parameter_by_id, parameter_by_number, search_parameters
from liaison.fhir.model import Number as Written
from liaison.fhir.model import clinical, extract
from liaison.fhir.model.convert import CONVERT, NOTHING
from liaison.fhir.model.fhirpath import compile_expression
from liaison.fhir.model.values import (
    Composite,
    DateRange,
    Number,
    Position,
    Quantity,
    Reference,
    Text,
    Token,
    Uri,
    Value,
)

Tree = dict[str, Any]
CLASSES: dict[str, type] = {
    "token": Token,
    "string": Text,
    "date": DateRange,
    "reference": Reference,
    "number": Number,
    "quantity": Quantity,
    "uri": Uri,
    "composite": Composite,
    "special": Position,
}


def found(tree: Tree) -> dict[str, list[Value]]:
    return {parameter_by_number(n).code: v for n, v in extract(tree["resourceType"], tree).items()}


def at(*moment: int) -> datetime:
    return datetime(*moment, tzinfo=UTC)  # type: ignore[misc,arg-type]  # year, month, day and so on


def test_no_pair_of_parameter_and_data_type_is_skipped_in_silence() -> None:
    pairs = set()
    for type_ in RESOURCE_TYPES:
        for parameter in search_parameters(type_).values():
            for branch in compile_expression(parameter.expression, type_) if parameter.expression else ():
                if parameter.type != "composite":
                    pairs.add((parameter.type, branch.type))
                for part in parameter.components:
                    kind = parameter_by_id(part.parameter).type
                    pairs |= {(kind, way.type) for way in compile_expression(part.expression, type_, branch.type)}

    assert pairs == set(CONVERT) | set(NOTHING)
    assert not set(CONVERT) & set(NOTHING)


@pytest.mark.parametrize("type_", sorted(RESOURCE_TYPES))
def test_values_are_of_the_class_of_their_parameter(type_: str, make: Any) -> None:
    for seed in range(5):
        for number, values in extract(type_, make(seed).resource(type_, 0.8)).items():
            assert values
            assert {type(value) for value in values} == {CLASSES[parameter_by_number(number).type]}
            assert len(set(values)) == len(values)


def test_a_part_of_the_parameters_gives_a_part_of_the_values(make: Any) -> None:
    tree = make(4).resource("Observation", 0.9)
    everything = extract("Observation", tree)
    some = set(list(everything)[::3])

    assert extract("Observation", tree, some) == {number: everything[number] for number in some}


def test_tokens() -> None:
    tree = {
        "resourceType": "Patient",
        "id": "a",
        "active": True,
        "gender": "female",
        "identifier": [
            {
                "system": "urn:oid:1.2",
                "value": "1",
                "type": {"coding": [{"system": "s", "code": "MR"}], "text": "dossier"},
            },
            {"assigner": {"display": "no value"}},
        ],
        "telecom": [{"system": "phone", "value": "01"}, {"system": "email", "value": "a@b"}, {"system": "phone"}],
        "communication": [
            {"language": {"coding": [{"system": "l", "code": "fr", "display": "Français"}], "text": "F"}}
        ],
    }

    values = found(tree)

    assert values["_id"] == [Token("", "a")]
    assert values["active"] == [Token("", "true")]
    assert values["gender"] == [Token("", "female")]
    assert values["identifier"] == [Token("urn:oid:1.2", "1", "dossier", (("s", "MR"),))]
    assert values["phone"] == [Token("", "01")]
    assert values["email"] == [Token("", "a@b")]
    assert values["language"] == [Token("l", "fr", "Français"), Token("", "", "F")]
    assert values["deceased"] == [Token("", "false")]


def test_names_and_addresses_give_their_parts() -> None:
    name = {"use": "usual", "text": "T", "family": "F", "given": ["G", None, "H"], "prefix": ["P"], "period": {}}
    address = {"line": ["1", "2"], "city": "C", "postalCode": "Z", "use": "home"}
    values = found({"resourceType": "Patient", "name": [name], "address": [address]})

    assert values["name"] == [Text(part) for part in "TFGHP"]
    assert values["given"] == [Text("G"), Text("H")]
    assert values["address"] == [Text(part) for part in "12CZ"]
    assert values["address-use"] == [Token("", "home")]


@pytest.mark.parametrize(
    ("reference", "value"),
    [
        ({"reference": "Patient/1"}, Reference("Patient", "1")),
        ({"reference": "Patient/1/_history/2"}, Reference("Patient", "1", "", "2")),
        ({"reference": "http://a/b/Patient/1"}, Reference("Patient", "1", "http://a/b/Patient/1")),
        ({"reference": "http://a/b/Nothing/1"}, Reference(url="http://a/b/Nothing/1")),
        ({"reference": "urn:uuid:x"}, Reference(url="urn:uuid:x")),
        ({"reference": "Patient?identifier=1"}, Reference(url="Patient?identifier=1")),
        ({"reference": "#p"}, Reference(contained="p")),
        ({"display": "someone"}, None),
        ({"type": "Patient", "identifier": {"system": "s", "value": "v"}}, Reference("Patient", system="s", value="v")),
        ({"reference": "#p", "identifier": {"value": "v"}}, Reference(value="v", contained="p")),
        ({"reference": "#"}, Reference(contained="#")),
    ],
)
def test_references(reference: Tree, value: Reference | None) -> None:
    values = found({"resourceType": "Observation", "subject": reference})

    assert values.get("subject", [None]) == [value]


def test_canonicals_and_uris() -> None:
    values = found(
        {
            "resourceType": "QuestionnaireResponse",
            "meta": {"profile": ["http://a/p|1"], "source": "http://a"},
            "questionnaire": "http://a/q|2.0",
        }
    )

    assert values["_profile"] == [Uri("http://a/p|1")]
    assert values["_source"] == [Uri("http://a")]
    assert values["questionnaire"] == [Reference(url="http://a/q", version="2.0")]


def test_dates() -> None:
    def date(**element: Any) -> list[Value]:
        return found({"resourceType": "Observation", **element}).get("date", [])

    assert date(effectiveDateTime="2024-01-31") == [DateRange(at(2024, 1, 30, 23), at(2024, 1, 31, 23))]
    assert date(effectiveInstant="2024-01-31T00:00:00Z") == [DateRange(at(2024, 1, 31), at(2024, 1, 31, 0, 0, 0, 1))]
    assert date(effectivePeriod={"start": "2024"}) == [DateRange(at(2023, 12, 31, 23), None)]
    assert date(effectivePeriod={"end": "2024-07"}) == [DateRange(None, at(2024, 7, 31, 22))]
    assert date(effectivePeriod={}) == []
    timing = {"event": ["2024-01-02", "2024-01-01"], "repeat": {"boundsPeriod": {"start": "2024"}}}
    assert date(effectiveTiming=timing) == [
        DateRange(at(2023, 12, 31, 23), at(2024, 1, 2, 23)),
        DateRange(at(2023, 12, 31, 23), None),
    ]
    assert date(effectiveTiming={"repeat": {"frequency": 3}}) == []


def test_quantities_numbers_and_positions() -> None:
    def quantity(**value: Any) -> list[Value]:
        return found({"resourceType": "Observation", "valueQuantity": value})["value-quantity"]

    unit = {"system": "u", "code": "mm[Hg]", "unit": "mmHg"}
    assert quantity(value=Written("72.50"), **unit) == [
        Quantity(Decimal("72.50"), Decimal("72.50"), "u", "mm[Hg]", "mmHg")
    ]
    assert quantity(value=5, comparator="<") == [Quantity(None, Decimal(5), strict=True)]
    assert quantity(value=5, comparator=">=") == [Quantity(Decimal(5), None)]
    assert quantity(value=0.1) == [Quantity(Decimal("0.1"), Decimal("0.1"))]  # a tree read by another reader
    prediction = [{"probabilityDecimal": Written("0.02")}, {"probabilityRange": {"high": {"value": 5}}}]
    assert found({"resourceType": "RiskAssessment", "prediction": prediction})["probability"] == [
        Number(Decimal("0.02"), Decimal("0.02")),
        Number(None, Decimal(5)),
    ]
    invoice = {"resourceType": "Invoice", "totalNet": {"value": 5, "currency": "EUR"}}
    assert found(invoice)["totalnet"] == [Quantity(Decimal(5), Decimal(5), "urn:iso:std:iso:4217", "EUR", "EUR")]
    position = {"latitude": Written("48.10"), "longitude": -1}
    assert found({"resourceType": "Location", "position": position})["near"] == [
        Position(Decimal("48.10"), Decimal(-1))
    ]


def test_sampled_data_is_searched_on_its_bounds() -> None:
    unit = {"system": "u", "code": "mm[Hg]", "unit": "mmHg"}

    def sampled(**limits: Any) -> dict[str, list[Value]]:
        data = {"origin": {"value": 0, **unit}, "period": 10, "dimensions": 1, "data": "1 2 9", **limits}
        component = [{"code": {"text": "x"}, "valueSampledData": data}]
        there = found({"resourceType": "Observation", "valueSampledData": data})
        within = found({"resourceType": "Observation", "component": component})
        assert there.get("value-quantity") == within.get("component-value-quantity")
        assert there.get("combo-value-quantity") == within.get("combo-value-quantity") == there.get("value-quantity")
        return there

    def bounds(**limits: Any) -> list[Value]:
        return sampled(**limits)["value-quantity"]

    ends = ("u", "mm[Hg]", "mmHg")
    assert bounds(lowerLimit=1, upperLimit=Written("9.5")) == [Quantity(Decimal(1), Decimal("9.5"), *ends)]
    assert bounds(lowerLimit=1) == [Quantity(Decimal(1), None, *ends)]
    assert bounds(upperLimit=9) == [Quantity(None, Decimal(9), *ends)]
    assert "value-quantity" not in sampled()


def test_composites_pair_what_stands_in_the_same_element() -> None:
    def component(code: str, value: int) -> Tree:
        return {"code": {"coding": [{"code": code}]}, "valueQuantity": {"value": value}}

    tree = {"resourceType": "Observation", "component": [component("sys", 130), component("dia", 80)]}

    assert found(tree)["component-code-value-quantity"] == [
        Composite((Token("", "sys"), Quantity(Decimal(130), Decimal(130)))),
        Composite((Token("", "dia"), Quantity(Decimal(80), Decimal(80)))),
    ]
    assert "code-value-quantity" not in found(tree)
    sequence = {
        "resourceType": "MolecularSequence",
        "referenceSeq": {"chromosome": {"coding": [{"code": "7"}]}},
        "variant": [{"start": 1, "end": 2}],
    }
    assert found(sequence)["chromosome-variant-coordinate"] == [
        Composite((Token("", "7"), Number(Decimal(1), Decimal(1)), Number(Decimal(2), Decimal(2))))
    ]
    document = {
        "resourceType": "DocumentReference",
        "relatesTo": [{"code": "replaces", "target": {"reference": "DocumentReference/1"}}],
    }
    assert found(document)["relationship"] == [Composite((Token("", "replaces"), Reference("DocumentReference", "1")))]


def test_the_first_entry_of_a_document() -> None:
    entry = [{"resource": {"resourceType": "Composition", "id": "c"}}, {"resource": {"resourceType": "Patient"}}]

    assert found({"resourceType": "Bundle", "entry": entry})["composition"] == [Reference("Composition", "c")]


def test_the_clinical_date() -> None:
    period = {"period": {"end": "2024-03-01"}}
    assert clinical("Encounter", period) == at(2024, 2, 29, 23)
    assert clinical("Observation", {"effectiveDateTime": "2024", "issued": "2025-01-01T00:00:00Z"}) == at(
        2023, 12, 31, 23
    )
    assert (
        clinical("Observation", {"issued": "2025-01-01T00:00:00Z"}) is None
    )  # no value of `date`: the index sorts by it
    assert clinical("DiagnosticReport", {"issued": "2025-01-01T00:00:00Z"}) == at(2025, 1, 1)
    assert clinical("Observation", {"effectiveTiming": {"event": ["2024-06-01"]}}) == at(2024, 5, 31, 22)
    assert clinical("Specimen", {"collection": {"collectedDateTime": "2024-06-01"}}) == at(2024, 5, 31, 22)
    assert clinical("Patient", {"birthDate": "1950-01-01"}) is None
    assert clinical("Observation", {}) is None


def test_the_large_provenance_is_quick() -> None:
    targets = [{"reference": f"Observation/{n}"} for n in range(20_000)]

    assert len(found({"resourceType": "Provenance", "target": targets})["target"]) == 20_000


@pytest.mark.parametrize("type_", ["Observation", "Patient", "Appointment", "MolecularSequence", "Bundle", "Location"])
def test_damaged_content_gives_no_values_and_no_crash(type_: str, make: Any) -> None:
    damage: list[Any] = [
        "x",
        3,
        True,
        {},
        [],
        [[]],
        {"coding": ["x"], "type": "x", "repeat": 3, "identifier": []},
        None,
    ]

    def damaged(node: Any, seed: int) -> Any:
        if isinstance(node, dict):
            return {key: damaged(child, seed + len(key)) for key, child in node.items()}
        if isinstance(node, list):
            return [damaged(child, seed + 1) for child in node]
        return damage[seed % len(damage)]

    for seed in range(40):
        tree = make(seed).resource(type_, 0.9)
        extract(type_, {**damaged(tree, seed), "resourceType": type_})
        extract(type_, {key: damage[(seed + place) % len(damage)] for place, key in enumerate(tree)})


def test_some_values_are_the_same_as_among_all() -> None:
    """In the order of the document, also where a parameter looks at several properties (`combo-value-quantity`)."""
    tree: Tree = {
        "resourceType": "Observation",
        "component": [{"valueQuantity": {"value": 2}}],
        "subject": {"reference": "Patient/1"},
        "valueQuantity": {"value": 1},
        "focus": [{"reference": "Patient/2/_history/3"}, {"reference": "Patient/2", "identifier": {"value": "x"}}],
    }
    every = extract("Observation", tree)
    assert [value.low for value in found(tree)["combo-value-quantity"] if isinstance(value, Quantity)] == [2, 1]
    assert found(tree)["focus"] == [Reference("Patient", "2", "", "3"), Reference("Patient", "2", value="x")]
    for number, values in every.items():
        assert extract("Observation", tree, {number}) == {number: values}
    assert extract("Observation", tree, frozenset(every)) == every
