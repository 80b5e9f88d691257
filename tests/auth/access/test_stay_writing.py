"""A stay lets the doctors and nurses of its structure in: that structure opens it, or a doctor who sends the person."""

from typing import Any

import pytest

from liaison.auth.access.purposes import Purpose

from .pieces import Tree, moment


def stay(territory: Any, patient: Any, unit: str, **more: Any) -> Tree:
    class_ = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"}
    whole = {"status": "in-progress", "period": {"start": moment(days=2)}, "serviceProvider": {"reference": unit}}
    return dict(territory.item_of(patient, "Encounter", **{**whole, "class": class_, **more}))


@pytest.fixture
async def house(territory: Any) -> Any:
    hospital = await territory.organization("Hôpital")
    unit = await territory.organization("Pneumologie", part_of=hospital)
    return hospital, unit, await territory.person("hospital-doctor", unit)


async def test_someone_else_does_not_let_a_hospital_in(territory: Any, house: Any) -> None:
    _, unit, doctor = house
    nurse = await territory.person("nurse", await territory.organization("Cabinet"))
    patient = await territory.patient(nurse)

    answer = await territory.ask(nurse.caller, "POST", "Encounter", stay(territory, patient, unit))

    assert answer.status == 403
    own = await territory.create(nurse.caller, stay(territory, patient, nurse.organization))
    moved = await territory.change(nurse.caller, own, serviceProvider={"reference": unit})
    assert moved.status == 403
    past = {"status": "finished", "period": {"start": moment(days=9), "end": moment(days=5)}}
    told = await territory.create(nurse.caller, stay(territory, patient, unit, **past))
    assert (await territory.change(nurse.caller, told, status="in-progress", period={"start": moment()})).status == 403
    assert not await territory.sees(doctor.caller, patient.reference)


async def test_someone_else_does_not_prolong_a_stay(territory: Any, house: Any) -> None:
    _, unit, _ = house
    nurse = await territory.person("nurse", await territory.organization("Cabinet"))
    patient = await territory.patient(nurse)
    period = {"start": moment(days=2), "end": moment(days=-1)}
    encounter = await territory.create(territory.system, stay(territory, patient, unit, period=period))

    longer = {**period, "end": moment(days=-30)}
    assert (await territory.change(nurse.caller, encounter, period=longer)).status == 403
    assert (await territory.change(nurse.caller, encounter, language="fr")).status == 200
    assert (await territory.change(nurse.caller, encounter, status="finished")).status == 200


@pytest.mark.parametrize("code", ["gp", "specialist"])
async def test_a_doctor_of_the_team_sends_the_person_to_a_hospital(territory: Any, house: Any, code: str) -> None:
    _, unit, doctor = house
    sender = await territory.person(code, await territory.organization("Cabinet"))
    patient = await territory.patient(sender)

    await territory.create(sender.caller, stay(territory, patient, unit))

    assert await territory.sees(doctor.caller, patient.reference)


@pytest.mark.parametrize("where", ["unit", "hospital", "client"])
async def test_the_hospital_opens_its_own_stays(territory: Any, house: Any, where: str) -> None:
    hospital, unit, doctor = house
    place = hospital if where == "hospital" else unit
    colleague = await territory.person("nurse", place)
    client = await territory.client(unit, "nurse", Purpose.TREAT)
    patient = await territory.patient(colleague)
    caller = client if where == "client" else colleague.caller

    await territory.create(caller, stay(territory, patient, unit))

    assert await territory.sees(doctor.caller, patient.reference)
