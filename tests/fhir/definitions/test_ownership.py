"""The ownership table against HL7's own patient compartment, kept beside this test."""

import json
from pathlib import Path

import pytest

from liaison.fhir.definitions import DIRECTORY_TYPES, RESOURCE_TYPES, ownership, search_parameters

COMPARTMENT = json.loads((Path(__file__).parent / "patient_compartment.json").read_text("utf-8"))

# Where the owner is not one of the compartment's parameters, and why.
NOT_BY_COMPARTMENT = {
    "AppointmentResponse": "the compartment lists who answers; the record is that of the appointment answered",
    "Patient": "a patient is its own record; Patient.link names another",
    "AuditEvent": "never stored on request",
}


@pytest.mark.parametrize("type_", sorted(RESOURCE_TYPES))
def test_every_type_has_one_owner_rule(type_: str) -> None:
    owner = ownership(type_)

    assert (owner.rule == "directory") == (type_ in DIRECTORY_TYPES - {"Schedule", "Slot"})
    assert bool(owner.path) == (owner.rule == "patient")


@pytest.mark.parametrize("type_", sorted(RESOURCE_TYPES))
def test_the_parameter_searches_the_path(type_: str) -> None:
    owner = ownership(type_)
    if owner.parameter:
        expression = search_parameters(type_)[owner.parameter].expression
        assert f"{type_}.{owner.path}" in {part.strip().partition(".where")[0] for part in expression.split("|")}


@pytest.mark.parametrize("type_", sorted(set(COMPARTMENT) - set(NOT_BY_COMPARTMENT)))
def test_the_owner_is_one_of_the_compartments_elements(type_: str) -> None:
    def elements(codes: list[str]) -> set[str]:
        return {
            part.strip().partition(".where")[0]
            for code in codes
            for part in search_parameters(type_)[code].expression.split("|")
            if part.strip().startswith(f"{type_}.")
        }

    assert f"{type_}.{ownership(type_).path}" in elements(COMPARTMENT[type_])


def test_a_focus_never_gives_an_owner_except_what_a_message_is_about() -> None:
    assert {name for name in RESOURCE_TYPES if "focus" in ownership(name).path} == {"MessageHeader"}


def test_references_are_found_through_lists_and_nothing_else_is() -> None:
    actor = {"reference": "Patient/1"}
    tree = {"resourceType": "Appointment", "participant": [{"status": "accepted"}, {"actor": actor}, "damaged"]}

    assert list(ownership("Appointment").references(tree)) == [actor]
    assert list(ownership("Medication").references(tree)) == []


def test_no_type_outside_the_table_is_owned() -> None:
    with pytest.raises(KeyError):
        ownership("Patients")
