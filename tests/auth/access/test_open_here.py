"""What of a record is open to whom, by class and by the grants of now."""

from typing import Any

import pytest

from liaison.auth.access.classes import Class
from liaison.auth.access.open_here import open_here


async def seen(territory: Any, person: Any, patient: Any) -> Class:
    key = territory.key(patient.reference)
    async with territory.database.reading.acquire() as connection:
        return await open_here(connection, territory.store.vault, person.caller.session, key.patient)


@pytest.mark.parametrize(
    ("code", "yes", "no"),
    [
        ("gp", "SAFETY ALLERGY MEDS CLIN COORD VITAL", "PSY SENS MASKED"),
        ("nurse", "SAFETY ALLERGY MEDS CLIN", "SENS"),
        ("pharmacist", "SAFETY ALLERGY MEDS", "CLIN"),
        ("social-worker", "SAFETY COORD SOC", "ALLERGY MEDS CLIN SENS"),
        ("coordinator", "SAFETY COORD SYNTH", "ALLERGY MEDS CLIN"),
        ("home-service-manager", "SAFETY COORD", "ALLERGY VITAL"),
        ("home-aide", "SAFETY HOMEPLAN", "COORD ALLERGY"),
    ],
)
async def test_by_role_on_a_team(territory: Any, code: str, yes: str, no: str) -> None:
    me = await territory.person(code)
    patient = await territory.patient(me)
    found = await seen(territory, me, patient)
    assert [one for one in yes.split() if not found & Class[one]] == []
    assert [one for one in no.split() if found & Class[one]] == []


async def test_by_what_the_person_permits_and_opposes(territory: Any) -> None:
    gp, nurse, outside = [await territory.person(code) for code in ("gp", "nurse", "gp")]
    patient = await territory.patient(gp, nurse)
    assert await seen(territory, outside, patient) == Class(0)
    permit = {"type": "permit", "actor": [territory.actor(outside.role)], "securityLabel": territory.classes("VITAL")}
    await territory.create(gp.caller, territory.consent(patient, provision=permit))
    assert await seen(territory, outside, patient) == Class.VITAL
    deny = {"type": "deny", "actor": [territory.actor(nurse.role)]}
    await territory.create(gp.caller, territory.consent(patient, "opposition", deny))
    assert await seen(territory, nurse, patient) == Class(0)
