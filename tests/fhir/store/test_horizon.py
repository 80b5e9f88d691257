"""Who asks again and again, each time from the newest that it was shown, is shown everything: whatever commits late."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import asyncpg
import pytest

from liaison.fhir.definitions import kind_of
from liaison.fhir.interactions import create, history
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.writes import Write
from liaison.fhir.store.contract import Key
from liaison.fhir.store.horizon import TAKE, horizon

from .conftest import PlainHooks, Records, observation

BASE = "https://liaison.test/fhir"


class Poll:
    """A client that keeps a copy."""

    def __init__(self, records: Records, level: str = "type", count: int = 500) -> None:
        self._records, self._level, self._count = records, level, count
        self.since = "2020-01-01T00:00:00Z"
        self.seen: list[str] = []

    async def page(self, query: str) -> Any:
        store, caller = self._records.store, self._records.caller
        if self._level == "type":
            answer = await history.of_type(store, caller, "Observation", query, BASE)
        else:
            answer = await history.of_system(store, caller, query, BASE)
        return json.loads(answer.body)

    async def ask(self) -> list[str]:
        """The ids of the observations that this time shows."""
        page = await self.page(f"_count={self._count}&_since={quote(self.since)}")
        shown: list[Any] = []
        while page:
            shown += page.get("entry", ())
            following = [link["url"] for link in page["link"] if link["relation"] == "next"]
            page = await self.page(urlsplit(following[0]).query) if following else None
        self.since = max([self.since, *(entry["resource"]["meta"]["lastUpdated"] for entry in shown)])
        ids = [entry["resource"]["id"] for entry in shown if entry["resource"]["resourceType"] == "Observation"]
        self.seen += ids
        return ids


@pytest.fixture
async def patient(records: Records) -> str:
    """The reference to a patient whom the caller may see."""
    patient = await records.patient()
    await records.grant(patient, 1)
    res = await records.database.reading.fetchval("select res from version where patient = $1", patient)
    return f"Patient/{records.store.id(Key(patient, kind_of('Patient'), res))}"


def write(patient: str) -> Write:
    body = {**observation(), "subject": {"reference": patient}}
    del body["identifier"]  # nobody waits for another
    return Write("create", "Observation", body)


def id_of(records: Records, one: Write) -> str:
    assert one.key is not None
    return records.store.id(one.key)


@asynccontextmanager
async def open_alone(records: Records, patient: str) -> AsyncIterator[Write]:
    """A transaction that has written, and commits at the end of the block."""
    one = write(patient)
    written, leave = asyncio.Event(), asyncio.Event()

    async def wait(_: asyncpg.Connection) -> None:
        written.set()
        await leave.wait()

    task = asyncio.create_task(commit(records.store, records.caller, [one], BASE, also=wait))
    await asyncio.wait_for(written.wait(), 60)
    try:
        yield one
    finally:
        leave.set()
        await asyncio.wait_for(task, 60)


@asynccontextmanager
async def open_shared(records: Records, patient: str) -> AsyncIterator[Write]:
    """The same of the transaction that small writes share."""
    one = write(patient)
    written, leave = asyncio.Event(), asyncio.Event()

    async def wait(*_: object) -> None:
        written.set()
        await leave.wait()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(PlainHooks, "after_write", wait)
        task = asyncio.create_task(commit(records.store, records.caller, [one], BASE))
        await asyncio.wait_for(written.wait(), 60)
    try:
        yield one
    finally:
        leave.set()
        await asyncio.wait_for(task, 60)


async def alone(records: Records, patient: str) -> str:
    """Another, that commits at once, in a transaction of its own."""
    one = write(patient)

    async def nothing(_: asyncpg.Connection) -> None:
        return

    await commit(records.store, records.caller, [one], BASE, also=nothing)
    return id_of(records, one)


async def later() -> None:
    """Into the next millisecond: what is written then has another lastUpdated."""
    await asyncio.sleep(0.005)


WAYS = {"alone": open_alone, "shared": open_shared}


@pytest.mark.parametrize("way", WAYS)
async def test_what_commits_late_is_not_missed(records: Records, patient: str, way: str) -> None:
    polls = Poll(records, "type"), Poll(records, "system")
    async with WAYS[way](records, patient) as late:
        await later()
        early = await alone(records, patient)
        for poll in polls:
            await poll.ask()
            assert early not in poll.seen  # else one would go on from there

    for poll in polls:
        await poll.ask()
        assert {id_of(records, late), early} <= set(poll.seen)


async def test_without_the_horizon_it_is_missed(
    records: Records, patient: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault that the horizon is for: what the case above would show if there were none."""

    async def none(_: object) -> datetime:
        return datetime(9000, 1, 1, tzinfo=UTC)

    monkeypatch.setattr(history, "horizon", none)
    for way in WAYS.values():
        poll = Poll(records)
        async with way(records, patient) as late:
            await later()
            early = await alone(records, patient)
            await poll.ask()

        await poll.ask()

        assert early in poll.seen
        assert id_of(records, late) not in poll.seen


async def test_the_pages_of_one_history_end_where_the_first_did(records: Records, patient: str) -> None:
    """What commits between two pages would be beyond the snapshot; what had committed, and was beyond the horizon, stays so."""
    before = [await alone(records, patient) for _ in range(3)]
    poll = Poll(records, count=1)
    async with open_alone(records, patient):
        await later()
        beyond = await alone(records, patient)
        page = await poll.page("_count=1&_since=2020")
    seen = []
    while True:
        seen += [entry["resource"]["id"] for entry in page["entry"]]
        following = [link["url"] for link in page["link"] if link["relation"] == "next"]
        if not following:
            break
        page = await poll.page(urlsplit(following[0]).query)

    assert seen == before[::-1]
    assert beyond in await Poll(records).ask()


async def test_the_total_is_of_what_is_shown(records: Records, patient: str) -> None:
    await alone(records, patient)
    poll = Poll(records)
    async with open_alone(records, patient):
        await later()
        await alone(records, patient)
        shown = (await poll.page("_since=2020"))["entry"]
        assert (await poll.page("_since=2020&_count=0"))["total"] == len(shown) == 1
        assert (await poll.page("_count=0"))["total"] == 2  # now, and not since

    assert (await poll.page("_since=2020&_count=0"))["total"] == 3


async def test_one_sees_what_one_has_just_written(records: Records, patient: str) -> None:
    poll = Poll(records)
    body = json.dumps(write(patient).tree).encode()
    for _ in range(10):
        answer = await create.create(records.store, records.caller, "Observation", body, {}, BASE)
        assert json.loads(answer.body)["id"] in await poll.ask()
        assert await alone(records, patient) in await poll.ask()


async def test_who_gave_up_holds_nothing_back(records: Records) -> None:
    lanes, pool = records.store.lanes, records.database.writing
    for killed in (False, True):
        connection = await pool.acquire()
        try:
            transaction = connection.transaction()
            await transaction.start()
            at = await connection.fetchval(TAKE)
            await later()
            assert await horizon(lanes) <= at
            if killed:
                pid = connection.get_server_pid()
                assert await records.database.reading.fetchval("select pg_terminate_backend($1, 60000)", pid)
            else:
                await transaction.rollback()
        finally:
            await pool.release(connection)

        assert await horizon(lanes) > at


async def test_it_is_the_first_moment_of_those_who_write_and_of_nobody_else(records: Records) -> None:
    """Said and read back to the millisecond. Neither another transaction nor a lock by another name says anything."""
    lanes, pool = records.store.lanes, records.database.writing
    async with pool.acquire() as other, other.transaction():
        await other.execute(
            "select pg_current_xact_id(), pg_advisory_xact_lock(1), pg_advisory_xact_lock(1::bigint << 60),"
            " pg_advisory_xact_lock_shared(7, 7)"
        )
        for _ in range(20):
            async with pool.acquire() as one, one.transaction(), pool.acquire() as two, two.transaction():
                before = await one.fetchval("select date_trunc('milliseconds', clock_timestamp())")
                at = await one.fetchval(TAKE)
                await later()
                await two.fetchval(TAKE)
                assert before <= await horizon(lanes) <= at
