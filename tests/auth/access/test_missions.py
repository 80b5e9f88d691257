"""R.1110-1 2°: what professions outside of care write is in the scope of their mission, in a record that they opened too; and
what is sensitive in it is kept closed for those who may read it (decision 7)."""

import json
from typing import Any

import pytest

from liaison.auth.access.classes import Class
from liaison.auth.access.table import packaged
from liaison.services.pages.role_names import writes

from .pieces import HIV, Tree, label

PERSON: Tree = {"resourceType": "Patient", "name": [{"family": "Nouvelle"}], "birthDate": "1950-01-01"}
URN = "urn:uuid:7f3b2a52-9d5c-4c4e-9f58-0d9a5f6d1a05"
MISSIONS = ["social-worker", "coordinator", "home-service-manager"]


class Known:
    def __init__(self, reference: str) -> None:
        self.reference = reference


def clinical(territory: Any, patient: Any) -> list[Tree]:
    """By a type that none of these roles is kept from for another reason, where there is one."""
    return [
        territory.item_of(patient, "Condition"),
        territory.item_of(patient, "MedicationRequest"),
        territory.item_of(patient, "AllergyIntolerance"),
        territory.item_of(patient, "Observation"),
        territory.item_of(patient, "DocumentReference"),
    ]


def with_the_record(tree: Tree) -> Tree:
    entry = [
        {"fullUrl": URN, "resource": PERSON, "request": {"method": "POST", "url": "Patient"}},
        {"resource": tree, "request": {"method": "POST", "url": tree["resourceType"]}},
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entry}


@pytest.mark.parametrize("code", MISSIONS)
async def test_nothing_clinical_is_written_in_a_record_that_one_opened(territory: Any, code: str) -> None:
    me = await territory.person(code)
    patient = Known(await territory.create(me.caller, PERSON))

    for tree in clinical(territory, patient):
        answer = await territory.ask(me.caller, "POST", tree["resourceType"], tree)
        assert answer.status == 403, (tree["resourceType"], answer.body)
        answer = await territory.ask(
            me.caller, "POST", "", with_the_record(tree | territory.item_of(Known(URN), tree["resourceType"]))
        )
        assert answer.status == 403, (tree["resourceType"], answer.body)
    for tree in (
        territory.item_of(patient, "Appointment"),
        territory.item_of(patient, "Communication"),
        territory.item_of(patient, "DocumentReference", **label("HOMEPLAN")),
    ):
        await territory.create(me.caller, tree)
    assert (await territory.change(me.caller, patient.reference, gender="female")).status == 200


@pytest.mark.parametrize(
    ("code", "class_"), [("social-worker", "SOC"), ("coordinator", "SYNTH"), ("home-service-manager", "SOC")]
)
async def test_what_is_of_the_mission_is(territory: Any, code: str, class_: str) -> None:
    me = await territory.person(code)
    patient = Known(await territory.create(me.caller, PERSON))
    mine = await territory.create(me.caller, territory.item_of(patient, "DocumentReference", **label(class_)))
    assert await territory.sees(me.caller, mine)


@pytest.mark.parametrize("code", MISSIONS)
def test_no_form_of_it_is_offered(code: str) -> None:
    for name in ("CLIN", "MEDS", "LAB", "ALLERGY", "STAY", "ETP", "MINOR", "HELD"):
        assert not writes(packaged(), code, Class[name]), name


@pytest.mark.parametrize(("code", "class_"), [("social-worker", "SOC"), ("coordinator", "SYNTH")])
@pytest.mark.parametrize("sensitive", ["SENS", "PSY", "NOTE3P"])
async def test_what_is_sensitive_of_the_mission_is_kept_closed(
    territory: Any, code: str, class_: str, sensitive: str
) -> None:
    gp, nurse, me, same = [await territory.person(one) for one in ("gp", "nurse", code, code)]
    patient = await territory.patient(gp, nurse, me, same)
    by = {"author": [{"reference": me.role}]}
    item = await territory.create(
        me.caller, territory.item_of(patient, "DocumentReference", **label(class_, sensitive), **by)
    )

    assert await territory.sees(me.caller, item)
    assert await territory.sees(gp.caller, item) is (sensitive != "PSY")
    assert await territory.sees(nurse.caller, item) is (sensitive == "NOTE3P")
    assert not await territory.sees(same.caller, item)
    assert (await territory.change(me.caller, item, description="autre")).status == 200
    assert (await territory.change(same.caller, item, description="autre")).status == 404


async def test_a_synthesis_with_a_sensitive_code_is_kept_closed_too(territory: Any) -> None:
    gp, nurse, me = [await territory.person(one) for one in ("gp", "nurse", "coordinator")]
    patient = await territory.patient(gp, nurse, me)
    plan = territory.item_of(
        patient, "DocumentReference", **label("SYNTH"), author=[{"reference": me.role}], category=[HIV]
    )
    item = await territory.create(me.caller, plan)
    assert await territory.sees(me.caller, item)
    assert await territory.sees(gp.caller, item)
    assert not await territory.sees(nurse.caller, item)


async def test_a_manager_writes_what_a_third_party_told_and_nothing_more_sensitive(territory: Any) -> None:
    me, same = [await territory.person("home-service-manager") for _ in range(2)]
    patient = await territory.patient(me, same)
    by = {"author": [{"reference": me.role}]}
    told = territory.item_of(patient, "DocumentReference", **label("COORD", "NOTE3P"), **by)
    item = await territory.create(me.caller, told)
    assert await territory.sees(me.caller, item)
    assert not await territory.sees(same.caller, item)
    for class_ in ("SENS", "PSY"):
        tree = territory.item_of(patient, "DocumentReference", **label("COORD", class_), **by)
        await territory.refused(me.caller, "POST", "DocumentReference", tree)


async def test_a_refusal_says_of_which_class_it_is_and_who_may(territory: Any) -> None:
    gp, me, manager = [await territory.person(one) for one in ("gp", "coordinator", "home-service-manager")]
    patient = await territory.patient(gp, me, manager)

    def said(answer: Any) -> str:
        assert answer.status == 403
        return str(json.loads(answer.body)["issue"][0]["diagnostics"])

    problem = territory.item_of(patient, "Condition")
    words = said(await territory.ask(me.caller, "POST", "Condition", problem))
    assert "CLIN" in words
    assert "gp" in words and "coordinator" not in words
    note = territory.item_of(patient, "DocumentReference", **label("COORD", "SENS"))
    words = said(await territory.ask(manager.caller, "POST", "DocumentReference", note))
    assert "SENS" in words and "gp" in words and "CLIN" not in words
