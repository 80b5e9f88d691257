"""One import of a source at a time: two would both create what neither knows yet."""

import contextlib
from collections.abc import AsyncIterator

import asyncpg


class Busy(Exception):
    """Another import of the source is under way. The text says so."""


@contextlib.asynccontextmanager
async def alone(url: str, source: str) -> AsyncIterator[None]:
    """Nobody else imports from this source. Raises Busy when somebody does, or when a process of an import that was
    killed has not ended yet."""
    connection = await asyncpg.connect(url)
    try:
        for name in (f"import {source}", f"import writes {source}"):
            if not await connection.fetchval("select pg_try_advisory_lock(hashtextextended($1, 0))", name):
                raise Busy(f"Another import of the source '{source}' is under way. Wait for it to end.")
        await connection.execute("select pg_advisory_unlock(hashtextextended($1, 0))", f"import writes {source}")
        yield
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def writing(url: str, source: str) -> AsyncIterator[None]:
    """For each process of an import, as long as it may write: when the first is killed, they may outlive it."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("select pg_advisory_lock_shared(hashtextextended($1, 0))", f"import writes {source}")
        yield
    finally:
        await connection.close()
