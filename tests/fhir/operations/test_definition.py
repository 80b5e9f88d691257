"""The typed table of an operation's parameters: the same by GET and by POST; what is wrong is named."""

import json
from typing import Any

import pytest

from liaison.fhir.errors import BadRequest, MethodNotAllowed
from liaison.fhir.operations.definition import Given
from liaison.fhir.operations.definitions import DEFINITIONS, LASTN, META_ADD, PATIENT_EVERYTHING, VALIDATE
from liaison.fhir.store.contract import Request

from .conftest import parameters


def get(query: str) -> Request:
    return Request("GET", "Patient/x/$everything", query)


def post(body: Any, query: str = "") -> Request:
    return Request("POST", "Patient/x/$everything", query, json.dumps(body).encode())


def test_get_and_post_give_the_same() -> None:
    by_get = PATIENT_EVERYTHING.read(get("start=2026-01-01&_type=Observation,Condition&_count=5&_since=2026-01-01"))
    by_post = PATIENT_EVERYTHING.read(
        post(
            {
                "resourceType": "Parameters",
                "parameter": [
                    {"name": "start", "valueDate": "2026-01-01"},
                    {"name": "_type", "valueCode": "Observation"},
                    {"name": "_type", "valueCode": "Condition"},
                    {"name": "_count", "valueInteger": 5},
                    {"name": "_since", "valueInstant": "2026-01-01"},
                ],
            }
        )
    )

    assert by_get == by_post
    assert by_get.types("_type") == frozenset({"Observation", "Condition"})
    assert by_get.number("_count") == 5


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("nonsense=1", "nonsense"),
        ("start=2026-01-01&start=2026-01-02", "start"),
        ("start=yesterday", "start"),
        ("start=2026-02-30", "start"),
        ("_count=0", "_count"),
        ("_count=-1", "_count"),
        ("_count=99999999999999999999", "_count"),
        ("_count=", "_count"),
        ("_since=soon", "_since"),
        ("_type=Obs ervation%20%20x", "_type"),
        ("_cursor=x&_count=5", "_cursor"),
        ("_cursor=x&_cursor=y", "_cursor"),
    ],
)
def test_what_is_wrong_is_named(query: str, named: str) -> None:
    with pytest.raises(BadRequest) as refused:
        PATIENT_EVERYTHING.read(get(query))

    assert f"'{named}'" in refused.value.issues[0].diagnostics


@pytest.mark.parametrize(
    "part",
    [
        {"name": "start"},
        {"name": "start", "valueDate": ["2026-01-01"]},
        {"name": "start", "valueDate": "2026-01-01", "valueString": "2026-01-01"},
        {"name": "start", "valueBoolean": True},
        {"name": "_count", "valueString": "5"},
        {"name": "nonsense", "valueString": "5"},
        {"name": 5},
        "start",
    ],
)
def test_a_part_of_another_shape_is_refused_where_it_stands(part: Any) -> None:
    with pytest.raises(BadRequest) as refused:
        PATIENT_EVERYTHING.read(post({"resourceType": "Parameters", "parameter": [part]}))

    assert refused.value.issues[0].expression == "Parameters.parameter[0]"


def test_the_offset_of_an_instant_may_come_unencoded() -> None:
    given = PATIENT_EVERYTHING.read(get("_since=2026-01-01T00:00:00+01:00"))

    assert given.text("_since") == "2026-01-01T00:00:00+01:00"


def test_a_type_that_is_none_is_named() -> None:
    with pytest.raises(BadRequest, match="_type"):
        PATIENT_EVERYTHING.read(get("_type=Observatoin")).types("_type")


def test_what_changes_something_is_not_called_by_get() -> None:
    with pytest.raises(MethodNotAllowed) as refused:
        META_ADD.read(Request("GET", "Patient/x/$meta-add"))

    assert refused.value.allowed == ("POST",)


def test_a_resource_may_come_bare_where_one_is_taken() -> None:
    patient = {"resourceType": "Patient", "active": True}
    bare = VALIDATE.read(post(patient, "mode=create"))
    wrapped = VALIDATE.read(
        post({"resourceType": "Parameters", "parameter": [
            {"name": "resource", "resource": patient}, {"name": "mode", "valueCode": "create"}]})
    )  # fmt: skip

    assert bare == wrapped
    with pytest.raises(BadRequest, match="Parameters"):
        PATIENT_EVERYTHING.read(post(patient))


def test_search_parameters_are_taken_in_order() -> None:
    query = "patient=x&category=a,b&max=3&category=c"
    expected = (("patient", "x"), ("category", "a,b"), ("category", "c"))

    assert LASTN.read(get(query)).criteria == expected
    body = parameters(patient__valueString="x", category__valueString="a,b", max__valuePositiveInt=3)
    body["parameter"].append({"name": "category", "valueString": "c"})
    assert LASTN.read(post(body)).criteria == expected
    assert LASTN.read(post(body)).number("max") == 3


def test_nothing_given_is_nothing() -> None:
    assert PATIENT_EVERYTHING.read(Request("GET", "")) == Given()
    assert PATIENT_EVERYTHING.read(Request("POST", "")) == Given()


def test_every_definition_is_of_its_place() -> None:
    for where, definition in DEFINITIONS.items():
        assert where.endswith(f"${definition.name}")
        assert definition.url.startswith("http://hl7.org/fhir/")
