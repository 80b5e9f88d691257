"""A worker reads the whole journal once a day, and when it is asked to; what it found is kept, and only it can write it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from liaison.auth.journal import verdicts
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.integrator import Integrator
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.journal.verdicts import Latest
from liaison.fhir.store.database import Database, connection
from liaison.fhir.vault import FileKeyProvider, Vault
from liaison.services.custody import outside
from liaison.services.jobs.verifying import keep_verified


@pytest.fixture
async def vault(database: Database, tmp_path: Path) -> Vault:
    async with database.writing.acquire() as one:
        return await Vault.open(one, FileKeyProvider.create(tmp_path / "key"))


@pytest.fixture
async def kept(database: Database, vault: Vault, tmp_path: Path) -> AsyncIterator[Path]:
    """A journal of two entries with a checkpoint, inside and outside, and the job at work on it."""
    keys = await JournalKeys.load(database.writing, vault)
    await (await Journal.open(database, keys)).close()
    async with database.writing.acquire() as one:
        passes = Integrator(keys, tmp_path / outside.CHECKPOINT)
        await passes.take(one)
        await passes.integrate(one)
    job = asyncio.create_task(keep_verified(lambda: connection(database.url), vault, keys, tmp_path, 0.05))
    yield tmp_path
    job.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await job


async def until(database: Database, vault: Vault, reached: Callable[[Latest], bool]) -> Latest:
    async with asyncio.timeout(60):
        while not reached(known := await verdicts.latest(database.reading, vault)):
            await asyncio.sleep(0.02)
    return known


async def asked(database: Database, vault: Vault) -> Latest:
    await verdicts.ask(database.writing)
    return await until(database, vault, lambda known: not known.pending)


@pytest.mark.usefixtures("kept")
async def test_the_first_verification_is_made_and_the_next_a_day_later(database: Database, vault: Vault) -> None:
    first = await until(database, vault, lambda known: known.told is not None)
    assert first.told
    assert (first.told.size, first.told.where) == (2, "")
    await asyncio.sleep(0.3)  # some of its looks, that must find nothing to do
    assert (await verdicts.latest(database.reading, vault)).made_at == first.made_at
    await database.writing.execute("delete from journal_verdict")  # or whatever else makes it unreadable
    assert (await until(database, vault, lambda known: known.told is not None)).made_at != first.made_at


@pytest.mark.usefixtures("kept")
async def test_what_is_broken_is_found_logged_and_kept(database: Database, vault: Vault) -> None:
    await until(database, vault, lambda known: known.told is not None)
    await database.writing.execute("update journal_entry set patient = 7 where sequence = 1")
    with capture_logs() as logs:
        told = (await asked(database, vault)).told
    assert told
    assert told.where == "position 0"
    assert [line for line in logs if line["event"] == "the journal is broken" and line["where"] == "position 0"]


async def test_what_was_kept_outside_must_be_in_it(database: Database, vault: Vault, kept: Path) -> None:
    await until(database, vault, lambda known: known.told is not None)
    await database.writing.execute(
        "delete from journal_position; delete from journal_tile; delete from journal_checkpoint;"
        "delete from journal_entry; update journal_head set size = 0"
    )
    assert (kept / outside.CHECKPOINT).exists()
    told = (await asked(database, vault)).told
    assert told
    assert "cut off" in told.what
