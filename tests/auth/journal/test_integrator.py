"""Positions are dense, commit order decides nothing, one integrator at a time, a checkpoint within a second."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import pytest

from liaison.auth.caller import Caller
from liaison.auth.journal import tiles, tree
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Event, entry
from liaison.auth.journal.integrator import Fenced, Integrator
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.journal.live import Live
from liaison.auth.journal.verify import Verdict, verify
from liaison.fhir.store.database import Database, connection

Integrate = Callable[[], Awaitable[int]]


async def verdict(raw: asyncpg.Connection, keys: JournalKeys) -> Verdict:
    async with raw.transaction(isolation="repeatable_read", readonly=True):
        return await verify(Live(raw), keys.signer.verifier, keys)


async def test_every_entry_gets_one_position_and_the_tree_verifies(
    journal: Journal, integrate: Integrate, raw: asyncpg.Connection, keys: JournalKeys, caller: Caller
) -> None:
    passes = []
    for count in (1, 254, 3, 300, 1):
        await journal.record([entry(caller, Event.READ, patient=one) for one in range(count)])
        passes.append(await integrate())
    assert passes == [2, 254, 3, 300, 1]
    assert await integrate() == 0
    found = await verdict(raw, keys)
    assert (found.entries, found.waiting, found.checkpoints) == (560, 0, 5)
    assert found.at is not None
    assert found.at.size == 560


async def test_an_entry_whose_transaction_commits_late_is_not_forgotten(
    journal: Journal,
    integrate: Integrate,
    raw: asyncpg.Connection,
    database: Database,
    keys: JournalKeys,
    caller: Caller,
) -> None:
    async with database.writing.acquire() as slow, slow.transaction():
        await journal.record_within(slow, [entry(caller, Event.CREATE, patient=1)])
        for _ in range(3):
            await journal.record([entry(caller, Event.READ, patient=2)])
            await integrate()
        assert await raw.fetchval("select count(*) from journal_position") == 4
    assert await integrate() == 1
    assert (await verdict(raw, keys)).entries == 5


async def test_a_pass_that_is_full_goes_on_where_it_stopped(
    journal: Journal,
    integrate: Integrate,
    raw: asyncpg.Connection,
    keys: JournalKeys,
    caller: Caller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("liaison.auth.journal.integrator.MOST", 7)
    await journal.record([entry(caller, Event.READ, patient=one) for one in range(20)])
    await journal.record([entry(caller, Event.READ, patient=one) for one in range(20)])
    assert [await integrate() for _ in range(7)] == [7, 7, 7, 7, 7, 6, 0]
    assert (await verdict(raw, keys)).entries == 41


async def test_a_new_integrator_goes_on_with_the_tree_it_finds(
    journal: Journal, raw: asyncpg.Connection, keys: JournalKeys, caller: Caller
) -> None:
    for _ in range(4):
        await journal.record([entry(caller, Event.READ, patient=one) for one in range(137)])
        fresh = Integrator(keys)
        await fresh.take(raw)
        await fresh.integrate(raw)
    assert (await verdict(raw, keys)).entries == 4 * 137 + 1


async def test_an_integrator_that_lost_its_turn_changes_nothing(
    journal: Journal, integrate: Integrate, raw: asyncpg.Connection, keys: JournalKeys, caller: Caller
) -> None:
    await integrate()
    newer = Integrator(keys)
    await newer.take(raw)
    await journal.record([entry(caller, Event.READ, patient=1)])
    with pytest.raises(Fenced):
        await integrate()
    assert await newer.integrate(raw) == 1
    with pytest.raises(Fenced):
        await integrate()
    assert (await verdict(raw, keys)).entries == 2


async def test_a_pass_that_finds_nothing_locks_nothing(
    journal: Journal, integrate: Integrate, raw: asyncpg.Connection, caller: Caller
) -> None:
    await integrate()
    async with raw.transaction():
        await raw.execute("select from journal_head for update")
        async with asyncio.timeout(60):
            assert await integrate() == 0

        # With something to do, it would wait for whoever has the head.
        await journal.record([entry(caller, Event.READ, patient=1)])
        passing = asyncio.ensure_future(integrate())
        while not await raw.fetchval("select count(*) from pg_locks where not granted"):
            await asyncio.sleep(0.01)
    assert await passing == 1


async def test_many_workers_and_rival_integrators_give_one_order(
    database: Database, raw: asyncpg.Connection, keys: JournalKeys, caller: Caller, tmp_path: Path
) -> None:
    async def connect() -> asyncpg.Connection:
        return await connection(database.url)

    integrators = [Integrator(keys, tmp_path / "checkpoint") for _ in range(3)]
    running = [asyncio.create_task(one.run(connect)) for one in integrators]
    journals = [await Journal.open(database, keys) for _ in range(3)]

    async def work(journal: Journal, seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(60):
            if chance.random() < 0.3:
                async with database.writing.acquire() as one:
                    transaction = one.transaction()
                    await transaction.start()
                    await journal.record_within(one, [entry(caller, Event.CREATE, patient=seed)])
                    await asyncio.sleep(chance.random() / 100)
                    await (transaction.commit() if chance.random() < 0.7 else transaction.rollback())
            else:
                await journal.record([entry(caller, Event.READ, patient=seed)] * chance.randint(1, 5))

    await asyncio.gather(*(work(journal, 10 * n + k) for n, journal in enumerate(journals) for k in range(4)))
    assert sum(one.active for one in integrators) == 1
    for journal in journals:
        await journal.close()
    async with asyncio.timeout(60):  # a second on a machine with time to spare
        while await raw.fetchval("select count(*) from journal_entry") != (await verdict(raw, keys)).entries:
            await asyncio.sleep(0.05)
    active = next(one for one in integrators if one.active)
    for task, one in zip(running, integrators, strict=True):
        if one is active:
            task.cancel()
    journal = await Journal.open(database, keys)
    await journal.close()
    async with asyncio.timeout(60):
        while (await verdict(raw, keys)).waiting:
            await asyncio.sleep(0.05)
    found = await verdict(raw, keys)
    assert found.open_chains == 0
    assert (tmp_path / "checkpoint").read_text() == await raw.fetchval(
        "select note from journal_checkpoint order by size desc limit 1"
    )
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def test_tiles_prove_any_entry_and_any_older_checkpoint(
    journal: Journal, integrate: Integrate, raw: asyncpg.Connection, keys: JournalKeys, caller: Caller
) -> None:
    sizes = []
    for count in (300, 256, 17, 1000):
        await journal.record([entry(caller, Event.READ, patient=one) for one in range(count)])
        await integrate()
        sizes.append((await verdict(raw, keys)).entries)
    size = sizes[-1]
    notes = dict(await raw.fetch("select size, note from journal_checkpoint"))
    roots = {one: keys.signer.verifier.open(note).root for one, note in notes.items()}
    for index in (0, 255, 256, 300, 573, size - 1):
        spans = tree.inclusion(index, size)
        known = await tiles.fetch(raw, [tree.Node(0, index), *(node for span in spans for node in tree.nodes(span))])
        tree.verify_inclusion(known[tree.Node(0, index)], index, size, tree.proof(spans, known), roots[size])
    for old in sizes:
        spans = tree.consistency(old, size)
        known = await tiles.fetch(raw, [node for span in spans for node in tree.nodes(span)])
        tree.verify_consistency(old, size, tree.proof(spans, known), roots[old], roots[size])
