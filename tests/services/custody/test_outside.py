"""The job that keeps rights and erasures outside the database: a folder that it cannot write is said."""

import asyncio
import contextlib
from pathlib import Path

from structlog.testing import capture_logs

from liaison.auth.journal.keys import JournalKeys
from liaison.fhir.store.database import Database, connection
from liaison.fhir.vault import FileKeyProvider, Vault
from liaison.services.custody import outside


async def test_a_folder_that_cannot_be_written_is_said(database: Database, tmp_path: Path) -> None:
    async with database.writing.acquire() as one:
        vault = await Vault.open(one, FileKeyProvider.create(tmp_path / "key"))
    keys = await JournalKeys.load(database.writing, vault)
    (tmp_path / "outside").write_text("a file is in its place")

    with capture_logs() as logs:
        job = asyncio.create_task(outside.keep(lambda: connection(database.url), keys, tmp_path / "outside"))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(30):
                while not logs and not job.done():
                    await asyncio.sleep(0.01)
        job.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await job

    assert [(one["log_level"], one["job"], one["kind"]) for one in logs[:1]] == [
        ("warning", "keeping rights and erasures outside", "FileExistsError")
    ]


async def test_what_is_kept_is_kept_again_when_it_was_taken_away(database: Database, tmp_path: Path) -> None:
    """Nothing has changed in the base: what is outside it is looked at each time."""
    async with database.writing.acquire() as one:
        vault = await Vault.open(one, FileKeyProvider.create(tmp_path / "key"))
    keys = await JournalKeys.load(database.writing, vault)
    state = tmp_path / "outside" / outside.STATE

    job = asyncio.create_task(outside.keep(lambda: connection(database.url), keys, tmp_path / "outside"))
    async with asyncio.timeout(60):
        for _ in range(2):
            while not state.exists():
                await asyncio.sleep(0.05)
            state.unlink()
        while not state.exists():
            await asyncio.sleep(0.05)
    job.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await job
