"""Creates of several people at the same moment share a transaction; each has the rights, the answer and the journal
entry of its own request."""

import asyncio
import json
from typing import Any

import asyncpg
import pytest

from liaison.auth.access import standing, vocabulary
from liaison.auth.access.roles import ROLES
from liaison.auth.caller import Caller
from liaison.auth.journal.entry import Event
from liaison.auth.journal.sealing import COLUMNS, Record, unseal
from liaison.auth.sessions import Act, caller_of, end_session, open_session
from liaison.fhir.store.contract import Answer, Request
from liaison.services.house import House

from .conftest import Person, settle, write
from .outside_client import observation

LABORATORY = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}


async def signed_in(house: House, person: Person) -> Caller:
    async with house.database.writing.acquire() as connection:
        session = await open_session(connection, person.act, "user/*.cruds", 300)
        caller = await caller_of(connection, session)
    assert caller is not None
    return caller


async def world(house: House) -> tuple[dict[str, Caller], str]:
    """A patient and their team: a doctor, a nurse, and a speech therapist, who sees the person but writes no
    laboratory results."""
    people, organization = await settle(house.settings)
    people["therapist"] = await therapist(house, organization)
    since = {"start": "2020-01-01"}
    members = [{"member": {"reference": one.practitioner}, "period": since} for one in people.values()]
    team = {"resourceType": "CareTeam", "status": "active", "subject": {"reference": "urn:uuid:p"}}
    made = await write(
        house,
        [
            entry({"resourceType": "Patient", "name": [{"family": "ESSAI"}]}, "urn:uuid:p"),
            entry({**team, "participant": members}),
        ],
    )
    callers = {who: await signed_in(house, people[who]) for who in ("gp", "nurse", "therapist")}
    return callers, made[0].removeprefix("Patient/")


async def therapist(house: House, organization: str) -> Person:
    role = {
        "resourceType": "PractitionerRole",
        "active": True,
        "practitioner": {"reference": "urn:uuid:t"},
        "organization": {"reference": organization},
        "code": [{"coding": [{"system": vocabulary.ROLE, "code": "speech-therapist"}]}],
    }
    made = await write(house, [entry({"resourceType": "Practitioner"}, "urn:uuid:t"), entry(role)])
    person, held = (key.res for reference in made if (key := house.store.key(*reference.split("/"))))
    act = Act((person, held), ROLES["gp"].purpose, "speech-therapist", practitioner=person, role=held)
    return Person(made[0], made[1], act)


def entry(resource: dict[str, Any], url: str = "") -> dict[str, Any]:
    made = {"resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}
    return {"fullUrl": url, **made} if url else made


async def create(house: House, caller: Caller, patient: str, request_id: str) -> Answer:
    body = json.dumps({**observation(patient, 93.0), "category": [{"coding": [LABORATORY]}]}).encode()
    return await house.engine.handle(caller, Request("POST", "Observation", "", body, {}, request_id, "192.0.2.1"))


async def at_once(house: House, asked: list[tuple[str, Caller]], patient: str) -> list[int]:
    answers = await asyncio.gather(*(create(house, caller, patient, name) for name, caller in asked))
    return [answer.status for answer in answers]


async def test_each_entry_names_its_own_request_and_person(house: House) -> None:
    callers, patient = await world(house)
    asked = [(f"{who}-{number}", callers[who]) for number in range(6) for who in ("gp", "nurse")]

    assert await at_once(house, asked, patient) == [201] * 12

    rows = await house.database.reading.fetch(
        f"select {', '.join(COLUMNS)} from journal_entry where event = $1", int(Event.CREATE)
    )
    entries = [unseal(house.journal_keys, Record(*row)) for row in rows]
    told = {entry.request: (entry.person, len(entry.items)) for entry in entries if entry.address == "192.0.2.1"}
    assert told == {name: (caller.practitioner, 1) for name, caller in asked}
    assert len(told) == 12


async def everyone_by_their_own_rights(house: House) -> None:
    callers, patient = await world(house)

    for order in (["gp", "therapist", "nurse"], ["therapist", "nurse", "gp"]):  # whoever comes first
        statuses = await at_once(house, [(who, callers[who]) for who in order], patient)

        assert dict(zip(order, statuses, strict=True)) == {"gp": 201, "nurse": 201, "therapist": 403}


async def test_everyone_writes_by_their_own_rights(house: House) -> None:
    await everyone_by_their_own_rights(house)


async def test_the_rights_of_another_would_be_noticed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    right = standing.standings

    async def of_the_first(connection: asyncpg.Connection, ids: Any, asked: Any) -> dict[int, standing.Standing]:
        found = await right(connection, ids, asked)
        best = max(found.values(), key=lambda who: who.role_code == "gp", default=None)
        return found if best is None else dict.fromkeys(found, best)

    monkeypatch.setattr(standing, "standings", of_the_first)

    with pytest.raises(AssertionError):
        await everyone_by_their_own_rights(house)


async def test_a_session_that_ends_meanwhile_writes_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    callers, patient = await world(house)
    shared = house.store.shared.write

    async def late(*asked: Any) -> bool:
        async with house.database.writing.acquire() as connection:
            await end_session(connection, callers["nurse"].session)
        return await shared(*asked)

    monkeypatch.setattr(house.store.shared, "write", late)

    assert await at_once(house, [("a", callers["gp"]), ("b", callers["nurse"])], patient) == [201, 401]
