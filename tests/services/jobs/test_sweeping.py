"""The sweeper: one at a time, and it comes back after a failure."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import asyncpg

from liaison.fhir.store.database import Database, connection
from liaison.services.jobs.sweeping import keep_swept


async def lists(database: Database) -> int:
    found: int = await database.reading.fetchval("select count(*) from search_list")
    return found


async def old_list(database: Database) -> None:
    """Something that only a sweep removes."""
    columns = await database.writing.fetch(
        "select column_name, data_type from information_schema.columns where table_name = 'search_list'"
    )
    known = {"made_at": datetime.now(UTC) - timedelta(hours=3), "bytea": b"x", "bigint": 1, "text": "x"}
    names = [name for name, _ in columns]
    values = [known.get(name, known.get(type_)) for name, type_ in columns]
    places = ", ".join(f"${n}" for n in range(1, len(names) + 1))
    await database.writing.execute(f"insert into search_list ({', '.join(names)}) values ({places})", *values)


async def until_empty(database: Database) -> None:
    async with asyncio.timeout(60):
        while await lists(database):
            await asyncio.sleep(0.02)


async def test_one_of_two_sweeps_and_the_other_takes_over(database: Database) -> None:
    first = asyncio.create_task(keep_swept(lambda: connection(database.url), 0.05))
    second = asyncio.create_task(keep_swept(lambda: connection(database.url), 0.05))
    await old_list(database)
    await until_empty(database)

    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await old_list(database)
    await until_empty(database)

    second.cancel()
    await asyncio.gather(second, return_exceptions=True)


async def test_it_comes_back_when_the_database_does(database: Database) -> None:
    opened: list[asyncpg.Connection] = []
    failures = 2

    async def connect() -> asyncpg.Connection:
        nonlocal failures
        if failures:
            failures -= 1
            raise ConnectionRefusedError
        opened.append(await connection(database.url))
        return opened[-1]

    job = asyncio.create_task(keep_swept(connect, 0.05))
    await old_list(database)
    await until_empty(database)
    opened[0].terminate()
    await old_list(database)
    await until_empty(database)

    assert len(opened) == 2
    job.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await job
