"""The connections to PostgreSQL. Nothing here knows resources."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import asyncpg

from liaison.fhir.store import faults
from liaison.fhir.store.clock import Clock
from liaison.fhir.store.known_types import Connection

SCHEMA = "0064"
"""The revision of the schema this code works with. A test compares it with the head of the migrations."""

OLDEST = 150000

UNFINISHED = "restoring"
"""What stands in the place of a revision while a backup is being restored."""
UNFINISHED_TEXT = (
    "A restore of this database has not come to its end. Move the database away and restore again: deploy/restore.md"
)

_SERVER_SETTINGS = {
    "application_name": "liaison",
    "timezone": "UTC",
    "jit": "off",  # compiles for longer than our statements run
    "idle_in_transaction_session_timeout": "60s",
}

Connect = Callable[[], Awaitable[asyncpg.Connection]]
"""Opens a `connection`: what is handed to whoever keeps one of its own, and opens another when it is lost."""

_CONNECT_SECONDS = 10
"""A server that takes the connection and does not answer (frozen, or being ended) is out of reach after so long."""


class UnknownSchema(RuntimeError):
    """The database is not at the revision this code knows. The text names the command to run."""


@dataclass(slots=True)
class Database:
    """Two pools, so that writers waiting for locks never keep readers waiting. They recover by themselves when
    PostgreSQL comes back. `clock` is the database's, without a round trip."""

    url: str
    reading: asyncpg.Pool
    writing: asyncpg.Pool
    clock: Clock
    _keeping: "asyncio.Task[None]"

    @classmethod
    async def connect(cls, url: str, *, readers: int = 8, writers: int = 8, check: bool = True) -> Self:
        """Raises UnknownSchema, or Unavailable when PostgreSQL cannot be reached."""
        with faults.reported():
            reading = await pool(url, readers)
            try:
                if check:
                    async with reading.acquire() as one:
                        await _check_schema(one)
                clock = await Clock.of(lambda: _moment(reading))
                keeping = asyncio.create_task(clock.keep(lambda: _moment(reading)))
                return cls(url, reading, await pool(url, writers), clock, keeping)
            except BaseException:
                await reading.close()
                raise

    async def fetch(self, statement: str, *arguments: Any) -> list[Any]:
        """Rows of one statement that only reads. Tried once more on a new connection, because the pool may hold one
        that the server has ended."""
        with faults.reported():
            try:
                return await self.reading.fetch(statement, *arguments)  # type: ignore[no-any-return]  # asyncpg is untyped
            except Exception as error:
                if not faults.is_unavailable(error):
                    raise
                await self.reading.expire_connections()
                return await self.reading.fetch(statement, *arguments)  # type: ignore[no-any-return]  # asyncpg is untyped

    async def now(self) -> datetime:
        """The moment by the database's clock, asked of it now: by it every right begins and ends. `clock` has it to some
        milliseconds."""
        return await _moment(self.reading)

    async def close(self) -> None:
        self._keeping.cancel()
        await asyncio.wait([self._keeping])
        await self.reading.close()
        await self.writing.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _moment(reading: asyncpg.Pool) -> datetime:
    with faults.reported():
        moment = await reading.fetchval("select clock_timestamp()")
    assert isinstance(moment, datetime)
    return moment


async def connection(url: str, **more: Any) -> asyncpg.Connection:
    """A connection of its own, for what must not share a pool. `more` goes to asyncpg."""
    return await asyncpg.connect(
        url, connection_class=Connection, server_settings=_SERVER_SETTINGS, timeout=_CONNECT_SECONDS, **more
    )


async def pool(url: str, most: int) -> asyncpg.Pool:
    """Connections that are handed on as they are. What is said on one must end with its transaction: `set local`,
    pg_advisory_xact_lock. Whoever keeps more than that takes a `connection` of its own."""
    return await asyncpg.create_pool(
        url,
        connection_class=Connection,
        min_size=0,
        max_size=most,
        reset=_hand_on,
        server_settings=_SERVER_SETTINGS,
        timeout=_CONNECT_SECONDS,
        max_inactive_connection_lifetime=300,
    )


async def _hand_on(_: asyncpg.Connection) -> None:
    """asyncpg has rolled back what was left open. Resetting the session too would be a further round trip, of four
    statements, for each of ours."""


async def check_schema(url: str) -> None:
    """Raises UnknownSchema unless the database is at the revision of this code, on a PostgreSQL we know."""
    one: Any = await connection(url)
    try:
        await _check_schema(one)
    finally:
        await one.close()


async def _check_schema(one: Any) -> None:
    if int(await one.fetchval("show server_version_num")) < OLDEST:
        raise UnknownSchema("PostgreSQL 15 or newer is needed.")
    revision = None
    if await one.fetchval("select to_regclass('alembic_version') is not null"):
        revision = await one.fetchval("select version_num from alembic_version")
    if revision is None:
        raise UnknownSchema(
            "The database has no Liaison tables. A first installation makes them: liaison init. Without one: liaison migrate"
        )
    if revision == UNFINISHED:
        raise UnknownSchema(UNFINISHED_TEXT)
    if revision > SCHEMA:
        raise UnknownSchema(
            f"The database is at schema {revision}, made by a newer Liaison; this one works with {SCHEMA}. Install that version"
            " again, then run its: liaison migrate"
        )
    if revision != SCHEMA:
        raise UnknownSchema(
            f"The database is at schema {revision}; this version of Liaison works with {SCHEMA}. Run: liaison migrate"
        )
