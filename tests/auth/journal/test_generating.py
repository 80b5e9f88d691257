"""A long journal of invented acts is whole, spread over its months, and read like any other."""

import asyncpg
import pytest

from liaison.auth.access.classes import Class
from liaison.auth.journal import statistics
from liaison.auth.journal.generating import Busy, NobodyThere, generate
from liaison.auth.journal.integrator import LOCK, MOST
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.journal.live import Live
from liaison.auth.journal.verify import verify
from liaison.fhir.store.database import Database, connection

from .audit_world import DOCTOR, MSP, World, world

__all__ = ["world"]
COUNT = 500


@pytest.fixture
async def peopled(world: World) -> World:
    await world.resource(1001, Class.VITAL)
    await world.raw.execute(
        "insert into held_role (role, practitioner, organization, role_code, active, valid_from, valid_to)"
        " values (7, $1, $2, 'gp', true, '-infinity', 'infinity')",
        DOCTOR,
        MSP,
    )
    return world


async def test_it_is_whole_and_spread_over_its_months(peopled: World, keys: JournalKeys) -> None:
    this_month = keys.generation
    told: list[int] = []
    written = await generate(peopled.raw, keys, COUNT, 24, told.append)
    assert COUNT <= written <= COUNT + 24 * 3
    assert told[-1] == written
    async with peopled.raw.transaction(isolation="repeatable_read", readonly=True):
        verdict = await verify(Live(peopled.raw), keys.signer.verifier, keys)
    assert verdict.entries >= written
    assert verdict.waiting == 0
    found = await statistics.of(peopled.raw)
    assert len(found.months) == 24
    assert set(found.months) == set(found.readable)
    assert min(found.months.values()) > COUNT / 24
    assert keys.generation == this_month
    events = await peopled.events(await peopled.auditor(MSP), f"patient={peopled.patient_id(1001)}&_count=200")
    assert len(events) > 20
    assert {event["agent"][0]["who"]["reference"] for event in events} == {
        peopled.reader.reference("Practitioner", 0, DOCTOR)
    }
    cited = {rule for event in events for rule in event["agent"][0].get("policy", ())}
    assert cited == {"https://liaison.example/fhir/rule/2"}


async def test_more_than_a_pass_takes_is_integrated_in_passes(peopled: World, keys: JournalKeys) -> None:
    written = await generate(peopled.raw, keys, MOST + 10, 1)
    assert await peopled.raw.fetchval("select count(*) from journal_position") >= written > MOST


async def test_where_nobody_is_no_act_is_invented(raw: asyncpg.Connection, keys: JournalKeys) -> None:
    with pytest.raises(NobodyThere):
        await generate(raw, keys, 10, 1)


async def test_while_a_service_integrates_it_waits_for_nobody(
    peopled: World, keys: JournalKeys, database: Database
) -> None:
    service = await connection(database.url)
    try:
        await service.fetchval("select pg_try_advisory_lock($1)", LOCK)
        with pytest.raises(Busy):
            await generate(peopled.raw, keys, 10, 1)
    finally:
        await service.close()
