import re
from pathlib import Path

import asyncpg
import pytest

from liaison.fhir.store import database as databases
from liaison.fhir.store.database import Database, UnknownSchema
from liaison.services.migrations import head, migrate


async def test_a_fresh_database_has_every_table(either_database: Database) -> None:
    names = {row[0] for row in await either_database.reading.fetch("select tablename from pg_tables")}
    assert {"version", "access_grant", "journal_entry", "alembic_version"} <= names


async def test_the_code_and_the_migrations_agree_on_the_schema() -> None:
    assert head() == databases.SCHEMA


async def test_migrating_again_changes_nothing(database_url: str) -> None:
    await migrate(database_url)
    async with await Database.connect(database_url):
        pass


async def test_a_database_without_tables_is_refused_with_the_command_to_run(database: Database) -> None:
    await database.writing.execute("drop table alembic_version")

    with pytest.raises(UnknownSchema, match="liaison migrate"):
        await Database.connect(database.url)


async def test_an_unknown_schema_is_refused_with_the_command_to_run(database: Database) -> None:
    await database.writing.execute("update alembic_version set version_num = '9999'")

    with pytest.raises(UnknownSchema, match=r"9999.*newer.*liaison migrate"):
        await Database.connect(database.url)

    await database.writing.execute("update alembic_version set version_num = '0001'")
    with pytest.raises(UnknownSchema, match=r"0001.*Run: liaison migrate"):
        await Database.connect(database.url)


async def test_connections_need_the_password(database: Database) -> None:
    without = database.url.split("&passfile")[0] + "&passfile=/nonexistent"
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(without, password="wrong")


OUTLIVES = re.compile(
    r"pg_(try_)?advisory_lock|\bset (?!local)\w+ = |add_listener|with hold|create temp", re.IGNORECASE
)
"""What a connection would keep after its transaction."""

OF_THEIR_OWN = {
    "fhir/store/locks.py",
    "fhir/store/lanes.py",
    "fhir/store/reader.py",
    "fhir/store/reindex.py",
    "fhir/store/turns.py",
    "auth/journal/commit.py",
    "auth/journal/generating.py",
    "services/command/rules_adopt.py",
    "services/loading/alone.py",
    "services/custody/outside.py",
    "services/custody/restore.py",
}
"""Modules that say such things on connections which no pool hands on. Before one is added: see that it does."""


def test_nothing_said_on_a_connection_of_the_pools_outlives_its_transaction() -> None:
    root = Path(databases.__file__).parents[4]
    sources = [path for area in ("fhir", "auth", "protocols", "services") for path in (root / area).rglob("*.py")]
    sql = [
        (path, re.sub(r"(?s)on conflict.*?do update\s+set|\bupdate\b.*?\bset\b", "", path.read_text()))
        for path in sources
    ]

    assert {
        path.relative_to(root).as_posix().partition("/liaison/")[2] for path, text in sql if OUTLIVES.search(text)
    } == OF_THEIR_OWN


async def test_what_was_left_open_is_rolled_back_before_a_connection_is_handed_on(database_url: str) -> None:
    async with await Database.connect(database_url, writers=1) as database:
        async with database.writing.acquire() as connection:
            await connection.execute("begin")
            await connection.execute("create table left_open ()")

        assert await database.writing.fetchval("select to_regclass('left_open')") is None
