"""What becomes of sessions: over at their end, gone a day later."""

import secrets

import asyncpg

from liaison.auth import sessions
from liaison.auth.sessions import Act, end_session, open_session
from liaison.fhir.store.database import Database

FAMILY = secrets.randbits(62)


async def opened(connection: asyncpg.Connection, ago: str, *, ended: bool = False, family: int | None = None) -> int:
    """Of a backend client, good for an hour, opened so long ago by the database's clock."""
    session = await open_session(connection, Act((1,), 1, "service"), "system/*.rs", 3600, family=family)
    if ended:
        await end_session(connection, session)
    await connection.execute(
        "update access_session set started_at = started_at - $2::text::interval, ended_at = ended_at - $2::text::interval,"
        " expires_at = expires_at - $2::text::interval where session = $1",
        session,
        ago,
    )
    return session


async def test_a_session_goes_a_day_after_its_end_and_the_latest_of_an_app_stays(database: Database) -> None:
    async with database.writing.acquire() as connection:
        await connection.execute(
            "insert into refresh_token (token, family, request, expires_at) values ($1, $2, '{}', now() + interval '9 days')",
            secrets.token_bytes(32),
            FAMILY,
        )
        old = [
            await opened(connection, "26 hours"),
            await opened(connection, "25 hours", ended=True),
            await opened(connection, "3 days", family=FAMILY),
            await opened(connection, "3 days", family=FAMILY + 1),  # of an app that may ask for nothing more
        ]
        kept = [
            await opened(connection, "24 hours"),  # its end is 23 hours ago
            await opened(connection, "23 hours", ended=True),
            await opened(connection, "0 hours"),
            await opened(connection, "2 days", family=FAMILY),
        ]

        await sessions.sweep(connection)

        there = {row[0] for row in await connection.fetch("select session from access_session")}
    assert not there & set(old)
    assert there >= set(kept)
