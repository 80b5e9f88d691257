"""Who is behind an entry: whom they act for (rows 8, 9, 10b: the journal shows both), who vouched for them, how long it took."""

from datetime import UTC, datetime

import asyncpg
import orjson
import pytest

from liaison.auth import sessions
from liaison.auth.access.purposes import Purpose
from liaison.auth.caller import Caller
from liaison.auth.journal import sealing
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import BEGUN, Event, entry
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.sessions import BROWSER, Act
from liaison.auth.smart.scopes import EVERYTHING
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key, Request

from .audit_world import DOCTOR, MSP, NURSE, World, world

__all__ = ["world"]

ACTS_FOR = "https://liaison.example/fhir/StructureDefinition/agent-acts-for"
ASSURANCE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/ihe-assuranceLevel"
ROLE, THEIRS = 700, 701


async def _caller(raw: asyncpg.Connection, role_code: str, acts_for: int, proven: str = "liaison 2") -> Caller:
    """The nurse's number, in a role that acts for the doctor, or for the doctor's role."""
    await raw.execute(
        "insert into held_role (role, practitioner, organization, role_code, active, valid_from, valid_to, acts_for) values"
        " ($1, $2, $3, 'gp', true, now() - interval '1 day', now() + interval '1 day', 0),"
        " ($4, $5, $3, $6, true, now() - interval '1 day', now() + interval '1 day', $7)",
        THEIRS,
        DOCTOR,
        MSP,
        ROLE,
        NURSE,
        role_code,
        acts_for,
    )
    act = Act((NURSE, ROLE), int(Purpose.TREAT), role_code, 1, 0, NURSE, ROLE, MSP, proven=proven)
    found = await sessions.caller_of(raw, await sessions.open_session(raw, act, BROWSER, 600))
    assert found is not None
    return found


@pytest.mark.parametrize("role_code", ["substitute", "trainee", "secretary"])
@pytest.mark.parametrize("acts_for", [THEIRS, DOCTOR], ids=["role", "person"])
async def test_whoever_acts_for_another_is_told_with_them(world: World, role_code: str, acts_for: int) -> None:
    caller = await _caller(world.raw, role_code, acts_for)
    await world.journal.record([entry(caller, Event.READ, patient=1001)])
    [event] = await world.events(await world.auditor(MSP), "action=R")
    [person] = event["agent"]
    doctor, nurse = (world.ids.encode(Key(0, kind_of("Practitioner"), one)) for one in (DOCTOR, NURSE))
    assert person["who"]["reference"] == f"Practitioner/{nurse}"
    told = {one["url"]: one for one in person["extension"]}
    assert told[ACTS_FOR]["valueReference"] == {"reference": f"Practitioner/{doctor}"}


async def test_who_acts_for_nobody_is_told_alone(world: World) -> None:
    caller = await _caller(world.raw, "nurse", 0)
    await world.journal.record([entry(caller, Event.READ, patient=1001)])
    [event] = await world.events(await world.auditor(MSP), "action=R")
    assert ACTS_FOR not in {one["url"] for one in event["agent"][0]["extension"]}


@pytest.mark.parametrize(
    ("proven", "coding"),
    [
        ("liaison 2", {"system": "https://liaison.example/fhir/CodeSystem/factors", "code": "2"}),
        ("https://psc.example/realms/esante eidas1", {"system": "https://psc.example/realms/esante", "code": "eidas1"}),
        ("", None),
    ],
)
async def test_an_entry_says_who_vouched_for_the_person(
    world: World, proven: str, coding: dict[str, str] | None
) -> None:
    caller = await _caller(world.raw, "nurse", 0, proven)
    await world.journal.record([entry(caller, Event.READ, patient=1001)])
    [event] = await world.events(await world.auditor(MSP), "action=R")
    found = [one["valueCodeableConcept"]["coding"] for one in event["agent"][0]["extension"] if one["url"] == ASSURANCE]
    assert found == ([[coding]] if coding else [])


async def test_an_entry_says_how_long_the_request_took(world: World) -> None:
    caller = await _caller(world.raw, "nurse", 0)
    begun = BEGUN.set(0.0)
    try:
        made = entry(caller, Event.READ, patient=1001, request=Request("GET", "Patient/x", request_id="r-9"))
    finally:
        BEGUN.reset(begun)
    assert made.took is not None
    await world.journal.record([made])
    [event] = await world.events(await world.auditor(MSP), "action=R")
    request = next(one for one in event["entity"] if one["type"]["code"] == "XrequestId")
    assert request["detail"] == [{"type": "latency-ms", "valueString": str(made.took)}]
    assert entry(caller, Event.READ).took is None


async def test_an_entry_of_a_version_that_did_not_say_so_is_still_read(journal: Journal, keys: JournalKeys) -> None:
    older = entry(Caller(1, EVERYTHING, 1, "gp"), Event.READ, patient=1001, detail={"act": "x"})
    key = sealing.worker_key(keys.key(keys.generation), 5)
    told = (older.event, 0, datetime(2026, 1, 31, tzinfo=UTC), 1001, 0, 0, orjson.dumps(older[5:-3]))
    record, _ = sealing.seal(key, (keys.generation, 5, 1, sealing.GENESIS), told)
    assert sealing.unseal(keys, record) == older
    assert sealing.detail(sealing.authentic(keys, record)) == {"act": "x"}
