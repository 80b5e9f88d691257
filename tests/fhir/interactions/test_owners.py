"""The patient of each resource of a unit: any order, circles, and refusals that name the rule."""

from typing import Any

import pytest

from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import FhirError, Unprocessable
from liaison.fhir.interactions import owners
from liaison.fhir.interactions.writes import Write
from liaison.fhir.model import references
from liaison.fhir.store.contract import Key

STORED = Key(77, kind_of("Patient"), 1)


def write(type_: str, patient: int | None = None, **tree: Any) -> Write:
    made = Write("create", type_, {"resourceType": type_, **tree})
    made.patient = patient
    return made


def to(name: str) -> dict[str, str]:
    return {"reference": name}


def texts(one: Write) -> list[str]:
    assert one.tree is not None
    return [reference["reference"] for _, reference in references(one.tree)]


def assign(named: dict[str, Write], **stored: Key) -> list[tuple[Write, FhirError]]:
    return owners.assign(list(named.values()), {**named, **stored}, texts)


def test_the_owner_is_found_whatever_the_order() -> None:
    named = {
        "provenance": write("Provenance", target=[to("observation")]),
        "observation": write("Observation", subject=to("patient")),
        "medication": write("Medication"),
        "request": write("MedicationRequest", subject=to("patient"), medicationReference=to("medication")),
        "patient": write("Patient", 5),
        "practitioner": write("Practitioner"),
    }

    assert assign(named) == []
    assert {name: one.patient for name, one in named.items()} == {
        "provenance": 5,
        "observation": 5,
        "medication": 5,
        "request": 5,
        "patient": 5,
        "practitioner": 0,
    }


def test_a_chain_of_what_belongs_to_what_refers_to_it_is_followed() -> None:
    named = {
        "substance": write("Substance"),
        "medication": write("Medication", ingredient=[{"itemReference": to("substance")}]),
        "request": write("MedicationRequest", subject=to("stored"), medicationReference=to("medication")),
    }

    assert assign(named, stored=STORED) == []
    assert {one.patient for one in named.values()} == {77}


def test_a_mention_gives_no_owner() -> None:
    named = {"observation": write("Observation", focus=[to("stored")])}

    ((refused, error),) = assign(named, stored=STORED)

    assert refused is named["observation"]
    assert "Observation.subject" in str(error)


def test_two_patients_are_one_too_many() -> None:
    named = {
        "one": write("Patient", 1),
        "two": write("Patient", 2),
        "group": write("Group", member=[{"entity": to("one")}, {"entity": to("two")}]),
    }

    ((refused, error),) = assign(named)

    assert refused is named["group"]
    assert isinstance(error, Unprocessable)
    assert "2 patients" in str(error)


def test_two_records_do_not_share_a_medication() -> None:
    named = {
        "medication": write("Medication"),
        "first": write("MedicationRequest", 1, medicationReference=to("medication")),
        "second": write("MedicationRequest", 2, medicationReference=to("medication")),
    }

    ((refused, _),) = assign(named)

    assert refused is named["medication"]


@pytest.mark.parametrize("type_", ["AuditEvent", "Parameters"])
def test_what_is_never_stored_is_refused_by_its_reason(type_: str) -> None:
    ((_, error),) = assign({"one": write(type_)})

    assert f"{type_} is not stored" in str(error)


def test_a_slot_belongs_with_its_schedule_or_to_the_directory() -> None:
    named = {
        "schedule": write("Schedule", actor=[to("practitioner")]),
        "practitioner": write("Practitioner"),
        "slot": write("Slot", schedule=to("schedule")),
        "own": write("Schedule", actor=[to("stored")]),
        "slot of own": write("Slot", schedule=to("own")),
    }

    assert assign(named, stored=STORED) == []
    assert {name: one.patient for name, one in named.items() if "Slot" in one.type_} == {"slot": 0, "slot of own": 77}


@pytest.mark.parametrize("subject", [{}, {"subject": to("other")}])
def test_an_update_stays_with_its_patient(subject: dict[str, Any]) -> None:
    one = write("Observation", 77, **subject)
    one.interaction = "update"

    with pytest.raises(Unprocessable, match=r"Observation\.subject"):
        owners.require_same(one, {"other": Key(78, kind_of("Patient"), 1)})


def test_an_update_of_a_medication_needs_no_owner_path() -> None:
    one = write("Medication", 77)
    one.interaction = "update"

    owners.require_same(one, {})
