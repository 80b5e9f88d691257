"""A call to the platform: opened from an identity, minimal while it lasts, gone at its end, and nobody else's to write."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from liaison.auth.access import calls, oppositions, vocabulary
from liaison.auth.access.purposes import Purpose
from liaison.auth.journal.entry import Event
from liaison.fhir.errors import Unauthorized

from . import arrivals
from .calling import REASON, asked, caller, opened, people, told
from .pieces import label, moment

pytestmark = pytest.mark.alone  # nobody else lives there who could have the same traits

Tree = dict[str, Any]
ALERT = {"coding": [{"system": "https://liaison.example/fhir/CodeSystem/alert-level", "code": "ORANGE"}]}


async def test_a_call_handler_sees_the_identity_the_team_and_the_open_alerts_until_the_end(territory: Any) -> None:
    handler, doctor, gp = await people(territory)
    patient = await arrivals.registered(territory, gp)
    subject = {"subject": {"reference": patient}}
    alert = await territory.create(gp.caller, task(patient, code=ALERT, status="requested", description="Chute"))
    closed = await territory.create(gp.caller, task(patient, code=ALERT, status="completed", description="Chute"))
    step = await territory.create(gp.caller, task(patient, status="requested", description="Spirométrie"))
    weight = await territory.create(gp.caller, {**territory.vital(), "resourceType": "Observation", "status": "final",
                                                "code": {"text": "Poids"}, **subject})  # fmt: skip
    problem = await territory.create(gp.caller, {"resourceType": "Condition", **subject})
    [team] = await territory.search(gp.caller, f"CareTeam?patient={patient}")

    said = await opened(territory, handler, asked(told(), doctor.role))

    assert said["patient"] == patient
    assert "access-token" not in said
    for path in (patient, alert, team, said["task"]):
        assert await territory.sees(handler.caller, path), path
    for path in (closed, step, weight, problem):
        assert not await territory.sees(handler.caller, path), path
    assert set(await territory.search(handler.caller, f"Task?patient={patient}")) == {alert, said["task"]}
    assert (await territory.change(handler.caller, alert, status="completed")).status == 403
    call = await territory.tree(said["task"], gp.caller)
    assert (call["requester"]["reference"], call["owner"]["reference"]) == (handler.role, doctor.role)
    assert call["reasonCode"]["text"] == REASON
    assert not await territory.sees(doctor.caller, patient)

    for stranger in (gp, doctor, await territory.person("call-handler")):
        assert (await territory.ask(stranger.caller, "POST", f"{said['task']}/$end-call")).status == 404
    assert (await territory.ask(handler.caller, "POST", f"{said['task']}/$end-call")).status == 204

    for path in (patient, alert, team, said["task"]):
        assert not await territory.sees(handler.caller, path), path
    call = await territory.tree(said["task"], gp.caller)
    assert call["status"] == "completed"
    assert (await territory.ask(handler.caller, "POST", f"{said['task']}/$end-call")).status == 204
    assert await territory.tree(said["task"], gp.caller) == call


def task(patient: str, **more: Any) -> Tree:
    return {"resourceType": "Task", "intent": "order", "for": {"reference": patient}, **more}


async def test_a_call_that_is_ended_twice_at_once_is_told_of_once(territory: Any) -> None:
    handler, doctor, gp = await people(territory)
    patient = await arrivals.registered(territory, gp)
    said = await opened(territory, handler, asked(told(), doctor.role))

    ends = [territory.ask(handler.caller, "POST", f"{said['task']}/$end-call") for _ in range(4)]

    assert {one.status for one in await asyncio.gather(*ends)} == {204}
    assert len(await territory.search(gp.caller, f"Communication?patient={patient}")) == 1


async def test_a_call_ends_by_itself_after_an_hour(territory: Any) -> None:
    handler, doctor, gp = await people(territory)
    patient = await arrivals.registered(territory, gp)
    await opened(territory, handler, asked(told(), doctor.role))
    rows = await territory.database.reading.fetch(
        "select valid_to - now() as left from access_grant where patient = $1 and relation = 3",
        territory.key(patient).patient,
    )

    assert rows
    assert all(row["left"] <= calls.LASTS + timedelta(seconds=1) for row in rows)  # the last second counts whole


async def test_a_regulating_doctor_reads_as_in_an_emergency_with_the_token_of_the_call(territory: Any) -> None:
    _, doctor, gp = await people(territory)
    patient = await arrivals.registered(territory, gp)
    problem = await territory.create(gp.caller, {"resourceType": "Condition", "subject": {"reference": patient}})
    psychiatry = await territory.create(
        gp.caller, {"resourceType": "Condition", "subject": {"reference": patient}, **label("SENS")}
    )

    said = await opened(territory, doctor, asked(told()))

    urgent = await caller(territory, said["access-token"])
    assert urgent.purpose == Purpose.ETREAT
    for path in (patient, problem, psychiatry):
        assert await territory.sees(urgent, path)
        assert not await territory.sees(doctor.caller, path)
    assert len(await territory.search(gp.caller, f"Communication?subject={patient}")) == 1
    renewed = arrivals.said(await territory.ask(doctor.caller, "POST", f"{said['task']}/$call-token"))
    second = await caller(territory, renewed["access-token"])
    assert await territory.sees(second, problem)
    assert (await territory.ask(gp.caller, "POST", f"{said['task']}/$call-token")).status == 404

    assert (await territory.ask(doctor.caller, "POST", f"{said['task']}/$end-call")).status == 204
    for token in (said["access-token"], renewed["access-token"]):
        with pytest.raises(Unauthorized):
            await caller(territory, token)
    assert (await territory.ask(doctor.caller, "POST", f"{said['task']}/$call-token")).status == 404


WRONG: dict[str, Callable[[], Tree]] = {
    "someone unknown": lambda: told(family="KERMARREC"),
    "another first name": lambda: told(given="Yvette"),
    "another sex": lambda: told(gender="male"),
    "another matricule": lambda: {**told(), "identifier": [{"system": arrivals.INS, "value": "260058815400999"}]},
    "another birthplace": lambda: {**told(), "extension": arrivals.traits(place="29019")["extension"]},
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_an_identity_that_does_not_fit_answers_like_nobody(territory: Any, wrong: str) -> None:
    handler, doctor, gp = await people(territory)
    await arrivals.registered(territory, gp)
    answer = await territory.ask(handler.caller, "POST", "Patient/$open-call", asked(WRONG[wrong](), doctor.role))
    nobody = await territory.ask(
        handler.caller, "POST", "Patient/$open-call", asked(told(family="PERSONNE"), doctor.role)
    )

    assert (answer.status, answer.body) == (nobody.status, nobody.body) == (404, nobody.body)
    assert await territory.search(gp.caller, "Task") == []


@pytest.mark.parametrize("against", ["all", "platform", "emergency"])
async def test_an_opposition_answers_like_nobody(territory: Any, against: str) -> None:
    handler, doctor, gp = await people(territory)
    patient = await arrivals.registered(territory, gp)
    stated = oppositions.Opposition(handler.organization if against == "platform" else "", against == "emergency")
    await oppositions.oppose(territory.store, gp.caller, territory.key(patient), stated, territory.engine.base_url)

    statuses = [
        (await territory.ask(one.caller, "POST", "Patient/$open-call", asked(told(), doctor.role))).status
        for one in (handler, doctor)
    ]

    # An opposition to sharing leaves the emergency; an objection to emergency access leaves the identity on a call.
    assert statuses == {"all": [404, 200], "platform": [404, 404], "emergency": [200, 404]}[against]


async def test_two_people_of_one_identity_are_nobody_until_the_matricule_tells_them_apart(territory: Any) -> None:
    handler, doctor, gp = await people(territory)
    patient = await arrivals.registered(territory, gp)
    await territory.create(gp.caller, told())

    answer = await territory.ask(handler.caller, "POST", "Patient/$open-call", asked(told(), doctor.role))
    assert answer.status == 404
    exact = {**told(), "extension": arrivals.traits()["extension"], "identifier": arrivals.traits()["identifier"]}
    # The other has no matricule: it may be a duplicate that anybody could make, and closes nobody's way who has the matricule.
    told_apart = await territory.ask(handler.caller, "POST", "Patient/$open-call", asked(exact, doctor.role))
    assert (told_apart.status, arrivals.said(told_apart)["patient"]) == (200, patient)


async def test_what_must_be_said_is_said(territory: Any) -> None:
    handler, doctor, gp = await people(territory)
    await arrivals.registered(territory, gp)
    for body, name in (
        (asked(told(), doctor.role, reason=" "), "reason"),
        (asked(told()), "regulator"),
        (asked(told(), gp.role), "regulator"),
        (asked(told(), doctor.practitioner), "regulator"),
        (asked({"resourceType": "Patient"}, doctor.role), "patient"),
    ):
        answer = await territory.ask(handler.caller, "POST", "Patient/$open-call", body)
        assert answer.status == 400, answer.body
        assert f"'{name}'" in json.loads(answer.body)["issue"][0]["expression"][0]


@pytest.mark.parametrize("code", ["gp", "nurse", "physio", "home-aide", "auditor", "admin", "coordinator"])
async def test_other_roles_receive_no_calls(territory: Any, code: str) -> None:
    _, doctor, _ = await people(territory)
    person = await territory.person(code)
    await territory.refused(person.caller, "POST", "Patient/$open-call", asked(told(), doctor.role))


async def test_nobody_writes_a_call_by_hand(territory: Any) -> None:
    handler, doctor, gp = await people(territory)
    patient = await arrivals.registered(territory, gp)
    forged = task(
        patient,
        status="in-progress",
        code={"coding": [{"system": vocabulary.PLATFORM, "code": "call"}]},
        requester={"reference": handler.role},
        restriction={"period": {"start": moment(hours=1), "end": moment(hours=-5)}},
    )
    assert (await territory.ask(gp.caller, "POST", "Task", forged)).status == 403
    whole = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {"fullUrl": "urn:uuid:7c9e6679-7425-40de-944b-e07fc1f90ae7", "resource": told(family="ROHAN"),
             "request": {"method": "POST", "url": "Patient"}},
            {"resource": {**forged, "for": {"reference": "urn:uuid:7c9e6679-7425-40de-944b-e07fc1f90ae7"}},
             "request": {"method": "POST", "url": "Task"}},
        ],
    }  # fmt: skip
    assert (await territory.ask(gp.caller, "POST", "", whole)).status == 403
    said = await opened(territory, handler, asked(told(), doctor.role))
    longer = {"period": {"start": moment(hours=1), "end": moment(days=-30)}}
    for who in (handler, gp):
        assert (await territory.change(who.caller, said["task"], restriction=longer)).status == 403
        assert (await territory.ask(who.caller, "DELETE", said["task"])).status == 403
    assert await territory.search(handler.caller, "Patient") == [patient]


async def test_the_journal_says_who_opened_and_ended_the_call_and_not_what_was_said(
    territory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler, doctor, gp = await people(territory)
    patient = await arrivals.registered(territory, gp)
    kept: list[Any] = []
    honest = territory.journal.record

    async def record(entries: Any) -> None:
        kept.extend(entries)
        await honest(entries)

    monkeypatch.setattr(territory.journal, "record", record)
    said = await opened(territory, handler, asked(told(), doctor.role))
    await territory.ask(handler.caller, "POST", f"{said['task']}/$end-call")

    number, person = territory.key(patient).patient, territory.key(handler.practitioner).res
    acts = [(one.person, one.reason) for one in kept if one.patient == number and one.event == Event.RIGHTS]
    assert acts == [(person, "call to the platform"), (person, "call to the platform: end")]
    assert REASON not in str(kept)
