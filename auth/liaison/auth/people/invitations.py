"""Invitations: a link that lets the owner of an account set their own secret, once. Only its hash is kept."""

import secrets
from datetime import timedelta
from typing import Final

import asyncpg

from liaison.auth.digests import digest
from liaison.auth.people.accounts import IN_FORCE

LASTS: Final = timedelta(hours=24)


async def invite(connection: asyncpg.Connection, account: int) -> str:
    """A token good for one use within a day. An earlier one of the account ends."""
    token = secrets.token_urlsafe(24)
    await connection.execute("delete from first_access where account = $1 or expires_at < now()", account)
    await connection.execute(
        "insert into first_access (token, account, expires_at) values ($1, $2, now() + $3)",
        digest(token),
        account,
        LASTS,
    )
    return token


async def account_of(connection: "asyncpg.Connection | asyncpg.Pool", token: str) -> int | None:
    """Whose link it is; None for one that is used, too old or made up, or of a suspended account."""
    number: int | None = await connection.fetchval(
        "select a.account from first_access f join account a using (account)"
        f" where f.token = $1 and f.expires_at > now() and {IN_FORCE}",
        digest(token),
    )
    return number


async def spend(connection: asyncpg.Connection, token: str) -> int | None:
    """Ends the link, in the transaction that sets the secret. Of two who come with it at once, one gets its account."""
    number: int | None = await connection.fetchval(
        "delete from first_access f using account a where f.token = $1 and f.expires_at > now()"
        f" and a.account = f.account and {IN_FORCE} returning a.account",
        digest(token),
    )
    return number
