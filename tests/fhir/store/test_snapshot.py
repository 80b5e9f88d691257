"""The name of what can be seen is another whenever something else can be; a base at rest keeps it."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from liaison.fhir.store.database import Database, connection
from liaison.fhir.store.snapshot import snapshot


@pytest.fixture
async def other(either_database: Database) -> AsyncIterator[asyncpg.Connection]:
    """Whoever writes meanwhile."""
    one = await connection(either_database.url)
    await one.execute("create table seen (seen integer)")
    yield one
    await one.close()


async def test_each_commit_gives_another_and_nothing_else_has_to(
    either_database: Database, other: asyncpg.Connection
) -> None:
    async with either_database.writing.acquire() as one:
        before = await snapshot(one)
        await other.fetch("select from seen")
        # The server's other bases are at rest most of the time.
        assert any([await snapshot(one) in (before, await snapshot(one)) for _ in range(20)])

        names = [await snapshot(one)]
        for number in range(20):
            await other.execute("insert into seen values ($1)", number)
            names.append(await snapshot(one))
        assert len(set(names)) == 21


async def test_what_is_written_in_pieces_is_seen_by_another_name_at_its_end_alone(
    either_database: Database, other: asyncpg.Connection
) -> None:
    """A part of a transaction has a number of its own, which the name does not have: nor is it seen before the whole."""
    async with either_database.writing.acquire() as one:
        for keep in (True, False):
            transaction, part = other.transaction(), other.transaction()
            await transaction.start()
            await part.start()
            await other.execute("insert into seen values (1)")
            await (part.commit() if keep else part.rollback())
            within = await snapshot(one), await one.fetchval("select count(*) from seen")
            await transaction.commit()
            after = await snapshot(one), await one.fetchval("select count(*) from seen")
            assert within[0] != after[0]
            assert after[1] - within[1] == keep
