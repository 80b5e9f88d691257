"""Authorization codes (RFC 6749 §4.1.2, §4.1.3). Kept as SHA-256; 60 seconds, once, burnt on the first failure.

Whoever presents a code that has been used ends everything it gave (§10.5): of twenty racers with one code exactly one
gets a token, and the losers end it again, because one of them stole it.
"""

import secrets
from typing import Final

import asyncpg

from liaison.auth.digests import digest
from liaison.auth.oauth2 import rfc7636
from liaison.auth.oauth2.clients import Client
from liaison.auth.oauth2.errors import InvalidGrant
from liaison.auth.oauth2.rfc6749 import refresh_tokens
from liaison.auth.oauth2.rfc6749.grant import Grant, Redeemed, open_granted
from liaison.auth.sessions import end_family

LIFETIME: Final = 60


async def issue(connection: "asyncpg.Connection | asyncpg.Pool", grant: Grant) -> str:
    """A new code for what a person has just agreed to."""
    code = secrets.token_urlsafe(32)
    await connection.execute(
        """
        insert into authorization_code (code, request, family, expires_at)
        values ($1, $2, $3, now() + make_interval(secs => $4))
        """,
        digest(code),
        grant.write(),
        secrets.randbits(63) or 1,
        LIFETIME,
    )
    return code


async def burn(connection: "asyncpg.Connection | asyncpg.Pool", client: Client, code: str) -> None:
    """Uses up a code that its client has presented wrongly. Another client's, and one that was used, stay as they are."""
    await connection.execute(
        "update authorization_code set used_at = now()"
        " where code = $1 and used_at is null and (request->>'client')::bigint = $2",
        digest(code),
        client.number,
    )


async def redeem(
    connection: asyncpg.Connection,
    client: Client,
    code: str,
    redirect_uri: str,
    verifier: str,
    seconds: int,
    *,
    jkt: str = "",
) -> Redeemed:
    """A session for the code, and a refresh token if the grant has one. Raises InvalidGrant; the code is used up either way. Not inside a transaction.

    The row is locked from the check to the session's insert, so that a racer who ends the family comes before or
    after all of it, never between.
    """
    used = False
    failed = False
    async with connection.transaction():
        row = await connection.fetchrow(
            """
            select request, family, used_at is not null as used, expires_at > now() as fresh
            from authorization_code where code = $1 for update
            """,
            digest(code),
        )
        if row is None:
            raise InvalidGrant
        if row["used"]:
            used = True
            await end_family(connection, row["family"])
        else:
            await connection.execute("update authorization_code set used_at = now() where code = $1", digest(code))
            grant = Grant.read(row["request"])
            try:
                if not row["fresh"] or grant.client != client.number or grant.redirect_uri != redirect_uri:
                    raise InvalidGrant
                rfc7636.check_verifier(verifier, grant.challenge)
                grant = grant.shown(jkt, confidential=client.confidential)
                opened = await open_granted(connection, grant, row["family"], seconds)
                following = await refresh_tokens.issue(connection, grant, row["family"])
            except InvalidGrant:
                failed = True  # raised after the commit, so that the code stays burnt
    if used or failed:
        raise InvalidGrant
    return Redeemed(grant, *opened, following)
