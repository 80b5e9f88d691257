"""An archived record is closed to the teams and to nobody else, and opens again as it was."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from liaison.auth.access import grants
from liaison.auth.access.rebuild import rebuild
from liaison.auth.retention import archiving

from .arrivals import parameters, registered, said, traits

pytestmark = pytest.mark.alone

Tree = dict[str, Any]


async def archived(territory: Any, reference: str) -> list[int]:
    patient = territory.key(reference).patient
    async with territory.database.writing.acquire() as one, one.transaction():
        return await archiving.archive(one, territory.store.vault, [patient], by="Dr Essai", why="décision 3")


async def reopened(territory: Any, reference: str) -> list[int]:
    patient = territory.key(reference).patient
    async with territory.database.writing.acquire() as one, one.transaction():
        return await archiving.reopen(one, territory.store.vault, [patient])


async def granted(territory: Any) -> list[Any]:
    return sorted(map(tuple, await territory.database.reading.fetch("select * from access_grant")))


@pytest.fixture
async def world(territory: Any) -> AsyncIterator[dict[str, Any]]:
    """Someone whose record a team, its delegates, software, a consented professional, herself and a caregiver read."""
    service = await territory.organization("Aide à domicile")
    gp, nurse, physio = [await territory.person(role) for role in ("gp", "nurse", "physio")]
    aide = await territory.person("home-aide", service)
    secretary = await territory.person(
        "secretary", acts_for=gp.role, period={"start": "2020-01-01", "end": "2099-01-01"}
    )
    patient = await territory.patient(gp, nurse, aide, service)
    sharing = {
        "type": "permit",
        "actor": [territory.actor(physio.role)],
        "securityLabel": territory.classes("CLIN", "ADM"),
    }
    await territory.create(territory.system, territory.consent(patient, "sharing", sharing))
    herself = await territory.as_oneself(patient.reference)
    yield {"patient": patient, "team": (gp, nurse, aide, secretary, physio), "herself": herself}


async def test_it_is_out_of_the_teams_lists_and_searches_and_the_persons_own(territory: Any, world: Any) -> None:
    patient, before = world["patient"], await granted(territory)
    auditor = await territory.mandated()
    for one in world["team"]:
        assert await territory.sees(one.caller, patient.reference), one.code

    assert await archived(territory, patient.reference) == [territory.key(patient.reference).patient]
    assert await archived(territory, patient.reference) == []

    for one in world["team"]:
        assert not await territory.sees(one.caller, patient.reference), one.code
        assert await territory.search(one.caller, "Patient") == [], one.code
    assert await territory.sees(world["herself"], patient.reference)
    assert await territory.search(auditor.caller, f"Consent?patient={patient.reference}")
    resting = await granted(territory)
    await rebuild(territory.database.writing, territory.store.vault)
    assert await granted(territory) == resting

    assert await reopened(territory, patient.reference) == [territory.key(patient.reference).patient]
    assert await reopened(territory, patient.reference) == []
    after = await granted(territory)
    assert set(before) <= set(after)
    for one in world["team"]:
        assert await territory.sees(one.caller, patient.reference), one.code


async def test_if_what_rests_gave_rights_the_team_would_see_it(
    territory: Any, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sibling of the test above."""
    monkeypatch.setattr(grants, "_rests", lambda _: False)
    await archived(territory, world["patient"].reference)
    assert await territory.sees(world["team"][0].caller, world["patient"].reference)


async def test_nobody_of_the_team_writes_in_it(territory: Any, world: Any) -> None:
    gp = world["team"][0]
    await archived(territory, world["patient"].reference)
    for type_ in ("Condition", "Observation"):
        answer = await territory.ask(gp.caller, "POST", type_, territory.item_of(world["patient"], type_))
        assert answer.status in (404, 422), answer.body


async def test_whoever_opened_it_first_sees_it_no_more_either(territory: Any) -> None:
    gp = await territory.person("gp")
    bare = {name: value for name, value in traits().items() if name != "identifier"}
    answer = await territory.ask(gp.caller, "POST", "Patient", bare)
    reference = f"Patient/{json.loads(answer.body)['id']}"
    assert await territory.sees(gp.caller, reference)
    await archived(territory, reference)
    assert not await territory.sees(gp.caller, reference)


async def test_an_emergency_opens_it(territory: Any) -> None:
    gp, doctor = await territory.person("gp"), await territory.person("hospital-doctor")
    patient = await registered(territory, gp)
    await archived(territory, patient)
    body = parameters(traits(), reason="Trouvée inconsciente, ne peut répondre")
    assert (await territory.ask(doctor.caller, "POST", "Patient/$emergency-access", body)).status in (200, 201)
    assert not await territory.sees(gp.caller, patient)


@pytest.mark.parametrize("who", ["on the team", "another"])
async def test_it_opens_again_when_the_person_is_back_and_says_so(territory: Any, who: str) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await registered(territory, gp)
    await archived(territory, patient)
    answer = await territory.ask(gp.caller, "POST", "Patient/$lookup", parameters(traits()))
    assert said(answer) == {"result": "known"}
    joining = gp if who == "on the team" else nurse

    answer = await territory.ask(joining.caller, "POST", "Patient/$join", parameters(traits(), means="oral"))

    assert said(answer) == {"result": "joined", "patient": patient}
    assert await territory.sees(gp.caller, patient)
    assert await territory.sees(joining.caller, patient)
    assert await territory.database.reading.fetchval("select count(*) from archived_record") == 0
