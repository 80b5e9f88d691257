"""What is remembered of valid values changes no answer."""

from typing import Any

import pytest

from liaison.fhir.model import problems
from liaison.fhir.model.validation import once

Tree = dict[str, Any]
INSIDE = [{"resourceType": "Device", "id": "d"}]
POINTING = {"text": "x", "extension": [{"url": "http://x.example/e", "valueReference": {"reference": "#d"}}]}


def errors(**more: Any) -> list[tuple[str, str]]:
    tree = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, **more}
    return [(one.expression, one.code) for one in problems(tree) if one.severity == "error"]


@pytest.mark.parametrize(
    ("method", "wrong"),
    [
        ({"coding": [{"code": "a", "colour": "red"}]}, [("Observation.method.coding[0]", "structure")]),
        ({"coding": [{"code": 10**30}]}, [("Observation.method.coding[0].code", "value")]),
        ({"coding": []}, [("Observation.method.coding", "structure")]),
        ([{"text": "a"}], [("Observation.method", "structure")]),
        ({"coding": [{"code": "a", "system": "urn:s"}]}, []),
    ],
)
def test_the_second_answer_is_the_first(method: Any, wrong: list[tuple[str, str]]) -> None:
    assert errors(method=method) == wrong
    assert errors(method=method) == wrong


def test_what_is_valid_in_one_resource_alone_is_looked_at_in_each() -> None:
    assert errors(method=POINTING, contained=INSIDE) == []

    assert errors(method=POINTING) != []


def test_a_reference_to_what_is_contained_is_looked_at_in_each() -> None:
    assert errors(device={"reference": "#d"}, contained=INSIDE) == []

    assert errors(device={"reference": "#d"}) == [("Observation.device", "value")]
    assert errors(device={"identifier": {"assigner": {"reference": "#d"}}}) == [
        ("Observation.device.identifier.assigner", "value")
    ]


def test_a_reference_is_remembered_for_its_place() -> None:
    assert errors(device={"reference": "Device/1"}) == []

    assert errors(subject={"reference": "Device/1"}) == []
    assert errors(encounter={"reference": "Device/1"}) == [("Observation.encounter", "value")]
    assert errors(encounter={"reference": "Device/1"}) == [("Observation.encounter", "value")]


@pytest.mark.parametrize(
    ("start", "end", "wrong"),
    [("2024-01-01", "2024-01-02", []), ("2024-01-02", "2024-01-01", [("Observation.effective", "invariant")])],
    ids=["in order", "not in order"],
)
def test_a_period_is_what_it_is_however_often_it_comes(start: str, end: str, wrong: list[tuple[str, str]]) -> None:
    period = {"start": start, "end": end}

    assert errors(effectivePeriod=period) == errors(effectivePeriod=period) == wrong


def test_a_type_has_its_own_memory() -> None:
    assert errors(method={"text": "a"}) == []  # a CodeableConcept

    assert errors(meta={"tag": [{"text": "a"}]}) == [("Observation.meta.tag[0]", "structure")]  # a Coding has no text


def test_a_few_thousand_are_remembered() -> None:
    seen = once.Seen()
    texts = [str(number).encode() for number in range(10_000)]

    for text in texts:
        seen.add(text)
        assert texts[0] in seen  # it is met again and again

    assert texts[-1] in seen
    assert sum(text in seen for text in texts[1:1000]) == 0
