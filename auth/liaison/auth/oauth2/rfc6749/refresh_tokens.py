"""Refresh tokens (RFC 6749 §6): each works once and is replaced. One that comes twice ends its whole family, since
either the client or a thief holds the other copy (RFC 9700 §4.14.2).

`offline_access` lives for 30 days from the moment the person agreed, however often it is replaced; `online_access` until
the person signs out of the browser they agreed in, 4 hours at most.
"""

import secrets
from typing import Final

import asyncpg

from liaison.auth.digests import digest
from liaison.auth.oauth2.clients import Client
from liaison.auth.oauth2.errors import InvalidGrant, InvalidScope
from liaison.auth.oauth2.rfc6749.grant import Grant, Redeemed, open_granted
from liaison.auth.sessions import end_family
from liaison.auth.smart.scopes import ScopeError, read_scopes

OFFLINE: Final = 30 * 86400
ONLINE: Final = 4 * 3600


def lifetime(scope: str) -> int:
    """Seconds for which what is granted may be refreshed; 0 when it may not be."""
    names = read_scopes(scope).names
    if "offline_access" in names:
        return OFFLINE
    return ONLINE if "online_access" in names else 0


async def issue(connection: asyncpg.Connection, grant: Grant, family: int) -> str:
    """The first refresh token of a family; '' when the grant has none."""
    seconds = lifetime(grant.scope)
    if not seconds:
        return ""
    return await _insert(connection, grant.write(), family, f"now() + make_interval(secs => {seconds})")


async def _insert(connection: asyncpg.Connection, request: str, family: int, until: str, *more: object) -> str:
    token = secrets.token_urlsafe(32)
    await connection.execute(
        f"insert into refresh_token (token, family, request, expires_at) values ($1, $2, $3, {until})",
        digest(token),
        family,
        request,
        *more,
    )
    return token


async def holder(connection: "asyncpg.Connection | asyncpg.Pool", token: str) -> int:
    """The number of the client that this was issued to; 0 for a token that was never issued."""
    request = await connection.fetchval("select request from refresh_token where token = $1", digest(token))
    return Grant.read(request).client if request else 0


async def rotate(
    connection: asyncpg.Connection, client: Client, token: str, scope: str, seconds: int, *, jkt: str = ""
) -> Redeemed:
    """A new session and the next refresh token. `scope` may narrow this session, never the family's grant.

    Raises InvalidGrant (a used token, or another client's, ends the family) or InvalidScope. Not inside a transaction.
    """
    failed = False
    async with connection.transaction():
        row = await connection.fetchrow(
            """
            select request, family, expires_at, used_at is not null or revoked_at is not null as spent,
                   expires_at > now() as fresh
            from refresh_token where token = $1 for update
            """,
            digest(token),
        )
        if row is None:
            raise InvalidGrant
        grant = Grant.read(row["request"])
        if row["spent"] or not row["fresh"] or grant.client != client.number:
            failed = True
            await end_family(connection, row["family"])
        else:
            # Before anything is used up: whoever lacks the key must not be able to end what it is bound to.
            grant = grant.shown(jkt, confidential=client.confidential)
            session_grant = _narrow(grant, scope)
            await connection.execute("update refresh_token set used_at = now() where token = $1", digest(token))
            try:
                async with connection.transaction():
                    opened = await open_granted(connection, session_grant, row["family"], seconds)
                    following = await _insert(
                        connection, grant.write(), row["family"], "$4::timestamptz", row["expires_at"]
                    )
            except InvalidGrant:
                failed = True
                await end_family(connection, row["family"])
    if failed:
        raise InvalidGrant
    return Redeemed(session_grant, *opened, following)


def _narrow(grant: Grant, scope: str) -> Grant:
    if not scope:
        return grant
    try:
        asked = read_scopes(scope)
    except ScopeError as error:
        raise InvalidScope(str(error)) from None
    narrowed = asked.intersection(read_scopes(grant.scope))
    if not narrowed.scopes and not narrowed.signs_in:
        raise InvalidScope("None of the scopes asked for was granted.")
    return grant.narrowed(str(narrowed))
