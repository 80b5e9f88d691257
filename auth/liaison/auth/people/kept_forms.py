"""What was typed in a form whose session had ended, sealed, for its owner to send again after signing in: for an hour."""

import secrets
from datetime import timedelta
from typing import Final

import asyncpg

from liaison.auth.digests import digest
from liaison.fhir.vault import NotAuthentic, PatientKey, context

LASTS: Final = timedelta(hours=1)
MOST: Final = 10
"""Of one account at a time; the oldest goes first."""


async def keep(connection: asyncpg.Connection, key: PatientKey, account: int, form: bytes) -> str:
    """The handle under which its owner finds it: random, it says nothing and opens nothing to anybody else."""
    handle = secrets.token_urlsafe(16)
    async with connection.transaction():
        await connection.execute(
            """
            delete from kept_form where account = $1
              and token not in (select token from kept_form where account = $1 order by kept_at desc limit $2)
            """,
            account,
            MOST - 1,
        )
        await connection.execute(
            "insert into kept_form (token, account, sealed) values ($1, $2, $3)",
            digest(handle),
            account,
            key.seal(_bound_to(account), form),
        )
    return handle


async def find(
    connection: "asyncpg.Connection | asyncpg.Pool", key: PatientKey, account: int, handle: str
) -> bytes | None:
    """None for a handle that is unknown, too old, or another account's: the seal says so too."""
    sealed = await connection.fetchval(
        "select sealed from kept_form where token = $1 and account = $2 and kept_at > now() - $3::interval",
        digest(handle),
        account,
        LASTS,
    )
    try:
        return None if sealed is None else key.open(_bound_to(account), sealed)
    except NotAuthentic:  # a row that somebody moved to another account
        return None


async def sweep(connection: "asyncpg.Connection | asyncpg.Pool") -> None:
    await connection.execute("delete from kept_form where kept_at < now() - $1::interval", LASTS)


def _bound_to(account: int) -> bytes:
    return context("form left open", account)
