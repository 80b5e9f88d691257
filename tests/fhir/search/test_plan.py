"""Whose records a search looks at, what SQL decides of it, and in which order."""

from datetime import UTC, datetime
from typing import Any

import pytest

from liaison.fhir.definitions import (
    DIRECTORY_TYPES,
    RESOURCE_TYPES,
    clinical_paths,
    kind_of,
    ownership,
    search_parameters,
)
from liaison.fhir.model import clinical, extract
from liaison.fhir.model.values import DateRange
from liaison.fhir.search.conditions import All
from liaison.fhir.search.criteria import Context
from liaison.fhir.search.parse import pairs, parse
from liaison.fhir.search.paths import is_clinical, is_main_date, names_owner, owner_parameter, paths
from liaison.fhir.search.plan import NOBODY, Plan, families_of, plan
from liaison.fhir.search.sql import Order
from liaison.fhir.store.contract import Key

PATIENTS = {"one": 11, "two": 12}


def key_of(type_: str, id_: str) -> Key | None:
    """'one', 'two' are ids of patients 11 and 12, whatever the type; 'd…' is of the directory."""
    if id_.startswith("d"):
        return Key(0, kind_of(type_), 5) if type_ in DIRECTORY_TYPES else None
    return Key(PATIENTS[id_], kind_of(type_), 5) if id_ in PATIENTS else None


def planned(type_: str, query: str) -> Plan:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return plan(parse(pairs(query), Context(type_, "https://x/fhir", now)), (), key_of)


@pytest.mark.parametrize(
    ("type_", "query", "owners"),
    [
        ("Observation", "patient=one", (11,)),
        ("Observation", "subject=Patient/one", (11,)),
        ("Observation", "subject=one", (11,)),
        ("Observation", "subject:Patient=one", (11,)),
        ("Observation", "patient=one,two", (11, 12)),
        ("Observation", "patient=one&subject=two", (NOBODY,)),
        ("Observation", "patient=made-up", (NOBODY,)),
        ("Observation", "_id=one", (11,)),
        ("Observation", "code=x", None),
        ("Observation", "encounter=one", None),
        ("Observation", "patient:missing=false", None),
        ("Encounter", "patient=one&status=finished", (11,)),
        ("Appointment", "patient=one", (11,)),
        ("Appointment", "actor=Patient/one", (11,)),
        ("Appointment", "actor=Practitioner/d", None),
        ("AllergyIntolerance", "patient=one", (11,)),
        ("Task", "patient=one", (11,)),
        ("Composition", "subject=Patient/one", (11,)),
        ("Provenance", "patient=one", (11,)),
        ("Device", "patient=one", (11,)),
        ("Patient", "_id=one", (11,)),
        ("Patient", "family=x", None),
    ],
)
def test_the_patient_named_is_the_only_one_looked_at(type_: str, query: str, owners: tuple[int, ...] | None) -> None:
    assert planned(type_, query).owners == owners


@pytest.mark.parametrize(
    ("type_", "query", "families"),
    [
        ("Observation", "patient=one", ("patient",)),
        ("Practitioner", "_id=made-up", ("directory",)),
        ("Practitioner", "name=x", ("directory",)),
        ("Slot", "", ("patient", "directory")),
        ("Slot", "_id=one", ("patient",)),
        ("Slot", "_id=d", ("directory",)),
        ("Slot", "_id=one,d", ("patient", "directory")),
    ],
)
def test_the_tables_looked_at_are_those_of_the_type(type_: str, query: str, families: tuple[str, ...]) -> None:
    assert planned(type_, query).families == families


def test_only_schedules_and_slots_are_in_both_families() -> None:
    assert {type_ for type_ in RESOURCE_TYPES if len(families_of(type_)) > 1} == {"Schedule", "Slot"}
    assert all(families_of(type_) == ("directory",) for type_ in DIRECTORY_TYPES - {"Schedule", "Slot"})


@pytest.mark.parametrize(
    ("query", "decided"),
    [
        ("code=x&date=ge2020&_lastUpdated=lt2030&status:not=final&encounter=one&_tag=a&_profile=b", True),
        ("value-string:exact=x", True),
        ("code:missing=true&date:missing=false", True),
        ("value-string=x", False),
        ("value-quantity=5", False),
        ("value-quantity:missing=true", False),
        ("code:text=x", False),
        ("code-value-quantity=x$5", False),
    ],
)
def test_sql_decides_equality_dates_and_presence(query: str, decided: bool) -> None:
    assert planned("Observation", query).decided is decided


@pytest.mark.parametrize(
    ("type_", "query", "narrowed"),
    [
        ("Observation", "code-value-quantity=x$gt1", True),
        ("Observation", "code-value-quantity=x$gt1,y$lt2", True),
        ("Observation", "combo-code-value-quantity=x$gt1", True),
        ("Observation", "component-code-value-quantity=x$gt1", True),
        ("DocumentReference", "relationship=replaces$DocumentReference/one", True),
        # The part is looked for elsewhere, or otherwise, than its own parameter looks.
        ("MolecularSequence", "chromosome-variant-coordinate=1$5$6", False),
        ("Observation", "value-quantity=gt1", False),
    ],
)
def test_the_code_of_a_composite_narrows_what_is_decrypted(type_: str, query: str, narrowed: bool) -> None:
    made = planned(type_, query)
    assert not made.decided
    assert (made.condition != All(())) is narrowed


def test_dates_of_people_are_never_asked_of_sql() -> None:
    assert not planned("Patient", "birthdate=1950").decided
    assert not planned("Patient", "birthdate:missing=true").decided
    assert not planned("RelatedPerson", "birthdate=1950").decided
    assert planned("Patient", "_lastUpdated=ge2020").decided


@pytest.mark.parametrize(
    ("type_", "query", "order"),
    [
        ("Observation", "", Order("clinical")),
        ("Observation", "_sort=-date", Order("clinical")),
        ("Observation", "_sort=date", Order("clinical", descending=False)),
        ("Observation", "_sort=-_lastUpdated", Order("at")),
        ("Observation", "_sort=-date,_id", None),
        ("Observation", "_sort=code", None),
        ("Observation", "_sort=_id", None),
        ("Observation", "_sort=value-date", None),
        ("MedicationRequest", "_sort=-authoredon", Order("clinical")),
        ("Encounter", "_sort=date", Order("clinical", descending=False)),
        ("Condition", "_sort=recorded-date", None),
        # The main date of these falls back on another element, which is no value of the parameter.
        ("Condition", "_sort=onset-date", None),
        ("ServiceRequest", "_sort=-occurrence", None),
        ("Task", "_sort=period", None),
        ("Immunization", "_sort=-date", None),
        ("Immunization", "", Order("clinical")),
        # What matches has a value of the parameter, and its main date is the earliest of these.
        ("Immunization", "date=ge2024&_sort=-date", Order("clinical")),
        ("Appointment", "date:missing=false&_sort=date", Order("clinical", descending=False)),
        ("Appointment", "date:missing=true&_sort=date", None),
        ("Condition", "recorded-date=2024&_sort=onset-date", None),
        ("Practitioner", "", Order("at")),
    ],
)
def test_an_index_gives_the_order_by_main_date_and_by_update(type_: str, query: str, order: Order | None) -> None:
    assert planned(type_, query).order == order


def test_each_type_of_a_patient_has_one_parameter_for_its_owner() -> None:
    without = {t for t in RESOURCE_TYPES if ownership(t).rule == "patient" and owner_parameter(t) is None}
    assert without == {"Binary", "BiologicallyDerivedProduct"}  # R4 gives these no parameter for it
    for type_ in RESOURCE_TYPES - without:
        rule = ownership(type_)
        if rule.rule == "patient":
            parameter = owner_parameter(type_)
            assert parameter is not None
            assert names_owner(parameter, type_)
            known = search_parameters(type_)
            if "patient" in known and rule.path in ("subject", "patient"):
                assert names_owner(known["patient"], type_), type_


def test_paths_lose_their_filters_and_casts() -> None:
    known = search_parameters("Observation")
    assert paths(known["patient"], "Observation") == {"subject"}
    assert paths(known["date"], "Observation") == {"effective"}
    assert paths(search_parameters("Condition")["onset-date"], "Condition") == {"onset"}
    assert paths(search_parameters("Appointment")["patient"], "Appointment") == {"participant.actor"}
    assert is_clinical(known["date"], "Observation")
    assert not is_clinical(known["value-date"], "Observation")


def test_a_parameter_is_the_main_date_when_both_find_the_same() -> None:
    """An index may give the order only by a parameter that finds a value wherever the main date does."""
    day, period = "2024-05-01", {"start": "2024-05-01"}
    for type_ in RESOURCE_TYPES:
        trees = [_with(path, period if path.endswith(("eriod", "Horizon")) else day) for path in clinical_paths(type_)]
        for parameter in search_parameters(type_).values():
            if is_main_date(parameter, type_):
                for tree in trees:
                    tree = {"resourceType": type_, **tree}
                    [value] = extract(type_, tree)[parameter.number]
                    assert isinstance(value, DateRange)
                    assert value.low == clinical(type_, tree), (type_, parameter.code)
    assert is_main_date(search_parameters("Observation")["date"], "Observation")
    assert not is_main_date(search_parameters("Task")["period"], "Task")


def _with(path: str, value: object) -> dict[str, Any]:
    """A resource with nothing but this element."""
    for name in reversed(path.split(".")):
        value = {name: [value] if name == "event" else value}
    assert isinstance(value, dict)
    return value
