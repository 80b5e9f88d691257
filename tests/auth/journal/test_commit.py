"""What record and record_within promise: durable, chained, all or nothing, and Unavailable when it cannot be."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from liaison.auth.caller import Caller
from liaison.auth.journal.commit import Journal, could_write
from liaison.auth.journal.entry import Entry, Event, entry
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.journal.live import Live
from liaison.auth.journal.sealing import COLUMNS, GENESIS, LEAF_SQL, Record, leaf, unseal
from liaison.auth.journal.verify import verify
from liaison.fhir.errors import Unavailable
from liaison.fhir.store.contract import Request
from liaison.fhir.store.database import Database

BLOCKED = "from pg_locks where not granted and relation = 'journal_entry'::regclass"


async def records(raw: asyncpg.Connection) -> list[Record]:
    rows = await raw.fetch(f"select {', '.join(COLUMNS)} from journal_entry order by written, sequence")
    return [Record(*row) for row in rows]


async def opened(raw: asyncpg.Connection, keys: JournalKeys) -> list[Entry]:
    return [unseal(keys, one) for one in await records(raw)]


async def eventually(raw: asyncpg.Connection, event: Event) -> None:
    async with asyncio.timeout(60):
        while not await raw.fetchval("select exists (select from journal_entry where event = $1)", event):
            await asyncio.sleep(0.02)


async def test_what_is_recorded_is_in_the_base_and_reads_back(
    journal: Journal, raw: asyncpg.Connection, keys: JournalKeys, caller: Caller
) -> None:
    written = entry(caller, Event.READ, patient=42, items=((3, 77, 1, 2, 6),), reason="", status=200)
    await journal.record([written])
    start, read = await opened(raw, keys)
    assert start.event == Event.CHAIN_START
    assert read == written


async def test_nothing_but_the_columns_is_in_clear(journal: Journal, raw: asyncpg.Connection, caller: Caller) -> None:
    await journal.record([entry(caller, Event.EMERGENCY, patient=42, reason="Inconsciente au domicile")])
    (sealed,) = [one.sealed for one in await records(raw) if one.event == Event.EMERGENCY]
    assert b"Inconsciente" not in sealed
    assert b"gp" not in sealed


async def test_entries_form_one_chain(journal: Journal, raw: asyncpg.Connection, caller: Caller) -> None:
    await asyncio.gather(*(journal.record([entry(caller, Event.READ, patient=one)]) for one in range(1, 50)))
    chain = await records(raw)
    assert [one.sequence for one in chain] == list(range(1, 51))
    assert chain[0].previous == GENESIS
    assert [one.previous for one in chain[1:]] == [leaf(one) for one in chain[:-1]]


async def test_a_group_waits_for_what_is_under_way_and_takes_what_it_brings(
    journal: Journal, raw: asyncpg.Connection, caller: Caller
) -> None:
    brought = asyncio.Event()
    journal.gathers(lambda: asyncio.wait_for(brought.wait(), 60))
    first = asyncio.create_task(journal.record([entry(caller, Event.READ, patient=1)]))
    await asyncio.sleep(0.02)
    assert not first.done()

    second = asyncio.create_task(journal.record([entry(caller, Event.READ, patient=2)]))
    brought.set()
    await asyncio.gather(first, second)

    (transactions,) = await raw.fetchrow("select count(distinct written) from journal_entry where event = 1")
    assert transactions == 1


async def test_postgresql_computes_the_same_leaf(journal: Journal, raw: asyncpg.Connection, caller: Caller) -> None:
    await journal.record([entry(caller, Event.READ, patient=one, outcome=4) for one in (-(2**63), 0, 2**63 - 1)])
    async with raw.transaction():
        await journal.record_within(raw, [entry(caller, Event.CREATE, patient=5)])
    rows = await raw.fetch(f"select {LEAF_SQL} as leaf, {', '.join(COLUMNS)} from journal_entry")
    assert len(rows) == 5
    for row in rows:
        assert row["leaf"] == leaf(Record(*list(row)[1:]))


async def test_entries_of_a_write_stand_or_fall_with_it(
    journal: Journal, raw: asyncpg.Connection, caller: Caller
) -> None:
    async with raw.transaction():
        await journal.record_within(raw, [entry(caller, Event.CREATE, patient=1)])
    with pytest.raises(ZeroDivisionError):
        async with raw.transaction():
            await journal.record_within(raw, [entry(caller, Event.CREATE, patient=2)])
            raise ZeroDivisionError
    kept = [one for one in await records(raw) if one.event == Event.CREATE]
    assert [(one.patient, one.sequence) for one in kept] == [(1, -1)]


async def test_a_link_binds_what_was_committed_and_voids_what_was_not(
    journal: Journal, raw: asyncpg.Connection, keys: JournalKeys, caller: Caller
) -> None:
    async with raw.transaction():
        await journal.record_within(
            raw, [entry(caller, Event.CREATE, patient=1), entry(caller, Event.UPDATE, patient=1)]
        )
    with pytest.raises(ZeroDivisionError):
        async with raw.transaction():
            await journal.record_within(raw, [entry(caller, Event.CREATE, patient=2)])
            raise ZeroDivisionError
    await eventually(raw, Event.LINK)
    (link,) = [one for one in await opened(raw, keys) if one.event == Event.LINK]
    assert link.detail is not None
    written = {one.sequence: leaf(one) for one in await records(raw)}
    assert link.detail["within"] == [[-1, written[-1].hex()], [-2, written[-2].hex()]]
    assert link.detail["void"] == [-3]


async def test_a_savepoint_taken_back_takes_its_entries_with_it_and_the_link_knows(
    journal: Journal, raw: asyncpg.Connection, keys: JournalKeys, caller: Caller
) -> None:
    async with raw.transaction():
        with pytest.raises(ZeroDivisionError):
            async with raw.transaction():
                await journal.record_within(raw, [entry(caller, Event.CREATE, patient=1)])
                raise ZeroDivisionError
        async with raw.transaction():
            await journal.record_within(raw, [entry(caller, Event.CREATE, patient=2)])
    await eventually(raw, Event.LINK)
    (link,) = [one.detail for one in await opened(raw, keys) if one.event == Event.LINK and one.detail]
    assert ([sequence for sequence, _ in link["within"]], link["void"]) == ([-2], [-1])


async def test_a_transaction_still_open_is_bound_later(
    journal: Journal, raw: asyncpg.Connection, database: Database, keys: JournalKeys, caller: Caller
) -> None:
    async with database.writing.acquire() as slow, slow.transaction():
        await journal.record_within(slow, [entry(caller, Event.CREATE, patient=1)])
        async with raw.transaction():
            await journal.record_within(raw, [entry(caller, Event.CREATE, patient=2)])
        await eventually(raw, Event.LINK)
        await asyncio.sleep(0.3)  # long enough for the link that must not come yet

    async def bound() -> list[Any]:
        return [one.detail for one in await opened(raw, keys) if one.event == Event.LINK and one.detail]

    async with asyncio.timeout(60):
        while len(links := await bound()) < 2:
            await asyncio.sleep(0.02)
    assert [[sequence for sequence, _ in link["within"]] for link in links] == [[-2], [-1]]


async def test_without_the_table_nothing_may_be_disclosed(
    journal: Journal, raw: asyncpg.Connection, caller: Caller
) -> None:
    await raw.execute("alter table journal_entry rename to elsewhere")
    with pytest.raises(Unavailable):
        await journal.record([entry(caller, Event.READ, patient=1)])
    with pytest.raises(Unavailable):
        async with raw.transaction():
            await journal.record_within(raw, [entry(caller, Event.CREATE, patient=1)])
    await raw.execute("alter table elsewhere rename to journal_entry")
    await journal.record([entry(caller, Event.READ, patient=1)])


async def test_a_lost_connection_is_told_to_all_who_wait_and_the_next_ones_succeed(
    journal: Journal, raw: asyncpg.Connection, keys: JournalKeys, caller: Caller
) -> None:
    await journal.record([entry(caller, Event.READ, patient=1)])
    first = journal.worker
    transaction = raw.transaction()
    await transaction.start()
    await raw.execute("lock table journal_entry in exclusive mode")
    waiting = [asyncio.create_task(journal.record([entry(caller, Event.READ, patient=2)])) for _ in range(5)]
    async with asyncio.timeout(60):
        while not await raw.fetchval(f"select exists (select {BLOCKED})"):
            await asyncio.sleep(0.02)
    await raw.execute(f"select pg_terminate_backend(pid) {BLOCKED}")
    results: list[Any] = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable] * 5
    await transaction.rollback()
    await journal.record([entry(caller, Event.READ, patient=3)])
    assert journal.worker != first
    (start,) = [
        one
        for one in await opened(raw, keys)
        if one.event == Event.CHAIN_START and one.detail and "after" in one.detail
    ]
    assert start.detail is not None
    assert start.detail["after"]["worker"] == first
    assert start.detail["after"]["sequence"] == 2


async def test_a_closed_journal_refuses_and_its_chain_has_an_end(
    database: Database, raw: asyncpg.Connection, keys: JournalKeys, caller: Caller
) -> None:
    journal = await Journal.open(database, keys)
    async with raw.transaction():
        await journal.record_within(raw, [entry(caller, Event.CREATE, patient=1)])
    await journal.close()
    await journal.close()
    with pytest.raises(Unavailable):
        await journal.record([entry(caller, Event.READ)])
    with pytest.raises(Unavailable):
        async with raw.transaction():
            await journal.record_within(raw, [entry(caller, Event.CREATE, patient=1)])
    events = [one.event for one in await opened(raw, keys)]
    assert events == [Event.CHAIN_START, Event.CREATE, Event.LINK, Event.CHAIN_END]


async def test_failed_anonymous_calls_are_one_entry_per_address(
    database: Database, raw: asyncpg.Connection, keys: JournalKeys
) -> None:
    journal = await Journal.open(database, keys)
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1"):
        await journal.refused_call(Request("GET", "Patient/x", address=address), 401)
    await journal.close()
    summed = [one for one in await opened(raw, keys) if one.event == Event.REFUSED_CALLS]
    assert {(one.address, one.status, (one.detail or {})["count"]) for one in summed} == {
        ("192.0.2.1", 401, 2),
        ("192.0.2.2", 401, 1),
    }


async def test_a_new_month_begins_a_new_chain_under_a_new_key(
    database: Database,
    journal: Journal,
    raw: asyncpg.Connection,
    keys: JournalKeys,
    caller: Caller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await journal.record([entry(caller, Event.READ, patient=1)])
    monkeypatch.setattr(database.clock, "now", lambda: datetime(2099, 1, 31, 12, tzinfo=UTC))
    await journal.record([entry(caller, Event.READ, patient=2)])
    reads = [one for one in await records(raw) if one.event == Event.READ]
    assert [one.generation for one in reads][1] == 209901
    assert reads[0].worker != reads[1].worker
    assert [unseal(keys, one).patient for one in reads] == [1, 2]
    async with raw.transaction(isolation="repeatable_read"):
        assert (await verify(Live(raw), keys.signer.verifier, keys)).waiting == 4


async def test_groups_leave_together_while_one_is_on_its_way(
    journal: Journal, raw: asyncpg.Connection, caller: Caller
) -> None:
    await asyncio.gather(*(journal.record([entry(caller, Event.READ, patient=one)]) for one in range(500)))
    commits = await raw.fetchval("select count(distinct written) from journal_entry")
    assert commits < 20


async def test_a_commit_that_failed_is_not_ready_until_one_succeeds(
    journal: Journal, raw: asyncpg.Connection, caller: Caller, database: Database
) -> None:
    """As on a full disk, where an entry that is taken back goes well."""
    await raw.execute(
        "create function no_room() returns trigger language plpgsql as $$ begin raise exception 'no room'; end $$;"
        "create constraint trigger no_room after insert on journal_entry deferrable initially deferred"
        " for each row execute function no_room()"
    )
    await journal.recovered()  # nothing has failed yet
    with pytest.raises(Unavailable):
        await journal.record([entry(caller, Event.READ, patient=1)])
    await could_write(database.writing)
    with pytest.raises(Unavailable):
        await journal.recovered()
    await raw.execute("drop trigger no_room on journal_entry")
    await journal.recovered()
    await journal.record([entry(caller, Event.READ, patient=1)])
