"""Row 10b holds on a record that a secretary opened, too: identity and appointments, nothing clinical, social or sensitive."""

from typing import Any

import pytest

from liaison.auth.access import writing
from liaison.auth.access.classes import Class
from liaison.auth.access.table import packaged
from liaison.services.pages.role_names import writes

from .pieces import Tree, label

PERSON: Tree = {"resourceType": "Patient", "name": [{"family": "Nouvelle"}], "birthDate": "1950-01-01"}
URN = "urn:uuid:7f3b2a52-9d5c-4c4e-9f58-0d9a5f6d1a04"


class Coming:
    reference = URN


class Known:
    def __init__(self, reference: str) -> None:
        self.reference = reference


def items(territory: Any, patient: Any) -> list[Tree]:
    return [
        territory.item_of(patient, "Condition"),
        territory.item_of(patient, "MedicationRequest"),
        territory.item_of(patient, **territory.vital()),
        territory.item_of(patient, "Communication", **label("SOC")),
        territory.item_of(patient, "DocumentReference"),
    ]


async def test_a_secretary_writes_nothing_clinical_in_a_record_that_she_opened(territory: Any) -> None:
    gp = await territory.person("gp")
    secretary = await territory.person("secretary", acts_for=gp.role)
    patient = Known(await territory.create(secretary.caller, PERSON))

    for tree in items(territory, patient):
        answer = await territory.ask(secretary.caller, "POST", tree["resourceType"], tree)
        assert answer.status == 403, (tree["resourceType"], answer.body)
    await territory.create(secretary.caller, territory.item_of(patient, "Appointment"))
    assert (await territory.change(secretary.caller, patient.reference, gender="female")).status == 200


def with_the_record(tree: Tree) -> Tree:
    entry = [
        {"fullUrl": URN, "resource": PERSON, "request": {"method": "POST", "url": "Patient"}},
        {"resource": tree, "request": {"method": "POST", "url": tree["resourceType"]}},
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entry}


async def test_nor_together_with_it(territory: Any) -> None:
    gp = await territory.person("gp")
    secretary = await territory.person("secretary", acts_for=gp.role)

    for tree in items(territory, Coming):
        answer = await territory.ask(secretary.caller, "POST", "", with_the_record(tree))
        assert answer.status == 403, (tree["resourceType"], answer.body)
    visit = territory.item_of(Coming, "Appointment")
    assert (await territory.ask(secretary.caller, "POST", "", with_the_record(visit))).status == 200
    for code in ("gp", "pharmacist", "physio"):
        other = await territory.person(code)
        answer = await territory.ask(other.caller, "POST", "", with_the_record(territory.item_of(Coming, "Condition")))
        assert answer.status == 200, (code, answer.body)


async def test_without_the_check_it_would_come_with_the_record(territory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "_ever_written", lambda *_: ~Class(0))
    gp = await territory.person("gp")
    secretary = await territory.person("secretary", acts_for=gp.role)
    tree = territory.item_of(Coming, "Condition")
    assert (await territory.ask(secretary.caller, "POST", "", with_the_record(tree))).status == 200


@pytest.mark.parametrize(
    "name", ["CLIN", "MEDS", "LAB", "VITAL", "ETP", "SOC", "PSY", "SENS", "COORD", "SAFETY", "SYNTH"]
)
def test_a_secretary_is_offered_no_form_of_it(name: str) -> None:
    assert not writes(packaged(), "secretary", Class[name])
    assert writes(packaged(), "secretary", Class.APPT)
