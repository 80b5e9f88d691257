"""An empty base from a backup. It serves only when every step is done: until then its schema has no known revision.

Steps: tables of the backup's revision; its rows; what happened after it, replayed (custody.replay); the journal checked
and the break declared in it; then the schema of this version, and every grant by the table of rules in force.
"""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from liaison.auth.access import regranting
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.journal.live import Live
from liaison.auth.journal.verify import Verdict, verify
from liaison.fhir.store.database import UNFINISHED, Database, connection
from liaison.fhir.store.schema import metadata
from liaison.fhir.vault import KeyProvider, Vault
from liaison.services import migrations
from liaison.services.custody import archive, outside
from liaison.services.custody.archive import BadBackup, Manifest, Progress
from liaison.services.custody.replay import Replayed, hold, replay, rule
from liaison.services.installation import Kind, declared


class NotEmpty(RuntimeError):
    """The base holds something already. A restore never writes over a record."""


@dataclass(frozen=True, slots=True)
class Restored:
    manifest: Manifest
    verdict: Verdict
    replayed: Replayed
    lost_since: str
    """The checkpoint that was known outside and is not in the backup; '' when nothing was lost, or nothing was kept."""
    kind: Kind | None
    """What the base was declared to be."""


async def restore(
    url: str, provider: KeyProvider, folder: Path, kept: Path | None, progress: Progress = lambda _: None
) -> Restored:
    """`kept` is the outside folder to replay; None only when the person at the console accepts that there is none."""
    manifest = archive.read(folder)
    archive.check_files(folder, manifest)
    if not migrations.knows(manifest.revision):
        raise BadBackup(
            f"The backup is of schema {manifest.revision}, which this version of Liaison does not know. Restore it with"
            " the version that made it."
        )
    await _empty(url)
    progress("schema")
    await migrations.migrate(url, manifest.revision)
    one = await connection(url)
    try:
        await _mark(one, UNFINISHED)
        async with one.transaction():
            await archive.load(one, folder, manifest, progress)
            vault = await Vault.open(one, provider)
            keys = await JournalKeys.load(one, vault)
            archive.signed(folder, keys.signer.verifier)
            progress("journal")
            verdict = await verify(
                Live(one), keys.signer.verifier, keys, [manifest.checkpoint] if manifest.checkpoint else []
            )
            progress("what happened after the backup")
            replayed = await replay(one, vault, kept) if kept else Replayed()
        lost = _lost(kept, verdict)
        await _declare(url, keys, manifest, replayed, lost)
        await _mark(one, manifest.revision)
        await one.execute("analyze")
    finally:
        await one.close()
    await migrations.migrate(url)
    progress("rights by the rules in force")
    kind = await _settle(url, provider, kept)
    if kept:
        _set_aside(kept)
    return Restored(manifest, verdict, replayed, lost, kind)


async def _settle(url: str, provider: KeyProvider, kept: Path | None) -> Kind | None:
    """A backup from before there were legal holds, or tables of rules, has their tables only now. Then every grant is of
    the table in force: one cut short goes on when the service runs. Returns what the base was declared to be."""
    one = await connection(url)
    try:
        state = (outside.read_state(kept) if kept else None) or outside.State()
        await hold(one, state)
        await rule(one, state)
        await one.execute("select pg_advisory_lock($1)", regranting.LOCK)
        vault = await Vault.open(one, provider)
        await regranting.carry(one, vault)
        return await declared(one, vault)
    finally:
        await one.close()


async def _empty(url: str) -> None:
    one = await connection(url)
    try:
        if await one.fetchval("select to_regclass('alembic_version') is null"):
            return
        for table in archive.tables():
            if table.name in archive.SEEDED:
                continue
            if await one.fetchval(f"select to_regclass('{table.name}') is not null") and await one.fetchval(
                f"select exists (select from {table.name})"
            ):
                raise NotEmpty(
                    f"The base is not empty ({table.name}). A restore needs a new one: move the old one away."
                )
        await _forget_schema(one)
    finally:
        await one.close()


async def _forget_schema(one: asyncpg.Connection) -> None:
    """Drops empty tables, which may be of another revision than the backup's."""
    async with one.transaction():
        for name in (*metadata.tables, "alembic_version"):
            await one.execute(f"drop table if exists {name} cascade")


async def _mark(one: asyncpg.Connection, revision: str) -> None:
    await one.execute("update alembic_version set version_num = $1", revision)


def _lost(kept: Path | None, verdict: Verdict) -> str:
    path = kept / outside.CHECKPOINT if kept else None
    if path is None or not path.exists():
        return ""
    note = path.read_text()
    size = int(note.split("\n")[1])
    return note if verdict.at is None or size > verdict.at.size else ""


async def _declare(url: str, keys: JournalKeys, manifest: Manifest, replayed: Replayed, lost: str) -> None:
    async with await Database.connect(url, readers=1, writers=1, check=False) as database:
        journal = await Journal.open(database, keys)
        detail = {
            "backup": manifest.made_at,
            "checkpoint": manifest.checkpoint,
            "lost_since": lost,
            "replayed": asdict(replayed),
        }
        await journal.record([Entry(Event.RESTORE, detail=detail)])
        await journal.close()


def _set_aside(kept: Path) -> None:
    """Positions begin again from the backup's: the job looks at the whole journal anew. Facts stay for a later restore."""
    checkpoint, state = kept / outside.CHECKPOINT, outside.read_state(kept)
    if checkpoint.exists():
        checkpoint.rename(kept / f"journal.checkpoint.before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
    if state is not None:
        state.position = 0
        outside.save_state(kept, state)
