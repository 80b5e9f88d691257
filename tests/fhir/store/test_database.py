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

    with pytest.raises(UnknownSchema, match=r"9999.*liaison migrate"):
        await Database.connect(database.url)


async def test_connections_need_the_password(database: Database) -> None:
    without = database.url.split("&passfile")[0] + "&passfile=/nonexistent"
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(without, password="wrong")
