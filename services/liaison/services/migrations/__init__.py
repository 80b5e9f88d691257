"""The history of the schema, one line of Alembic revisions. `liaison migrate` runs `migrate`."""

import asyncio
from pathlib import Path
from typing import Final

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from liaison.fhir.store.database import UNFINISHED, UNFINISHED_TEXT, UnknownSchema

_LOCK = 0x11A150  # one migration at a time on a database


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


def head() -> str:
    """The newest revision."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    assert newest is not None
    return newest


async def migrate(url: str, revision: str = "head") -> None:
    """Brings the database to the revision, in one transaction: all of it or nothing.

    Raises UnknownSchema, and touches nothing, for a database of a newer Liaison, of another program, or of a restore
    that has not ended."""
    engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url))
    try:
        async with engine.begin() as connection:
            await connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await _refuse_others(connection)
            await connection.run_sync(_upgrade, revision)
    finally:
        await engine.dispose()


def knows(revision: str) -> bool:
    """Whether this version of Liaison has the revision in its history."""
    return revision in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


_TABLES: Final = (
    "select count(*) from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')"
)


async def _refuse_others(connection: AsyncConnection) -> None:
    if await connection.scalar(text("select to_regclass('alembic_version') is null")):
        if await connection.scalar(text(_TABLES)):
            raise UnknownSchema("The database holds tables of another program. Give Liaison a database of its own.")
        return
    for revision in await connection.scalars(text("select version_num from alembic_version")):
        if revision == UNFINISHED:
            raise UnknownSchema(UNFINISHED_TEXT)
        if not knows(revision):
            raise UnknownSchema(
                f"The database is at schema {revision}, which this version of Liaison does not know. It was made by a"
                " newer Liaison, or by another program. Install the version that made it."
            )


def migrate_now(url: str) -> None:
    """The same, for a caller without an event loop."""
    asyncio.run(migrate(url))


def _upgrade(connection: Connection, revision: str) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
