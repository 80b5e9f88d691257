"""Revocation (RFC 7009): the answer is the same whether or not the token existed, was live, or is the client's own."""

import asyncpg

from liaison.auth.digests import digest
from liaison.auth.oauth2 import rfc9068
from liaison.auth.oauth2.clients import Client
from liaison.auth.oauth2.keys import SigningKeys
from liaison.auth.oauth2.rfc6749.grant import Grant
from liaison.auth.sessions import end_family, end_session
from liaison.fhir.errors import Unauthorized


async def revoke(
    connection: asyncpg.Connection, client: Client, token: str, *, keys: SigningKeys, issuer: str, audience: str
) -> None:
    """Ends a refresh token with its whole family, or the session of an access token. Another client's token stays."""
    row = await connection.fetchrow("select request, family from refresh_token where token = $1", digest(token))
    if row is not None:
        if Grant.read(row["request"]).client == client.number:
            async with connection.transaction():
                await end_family(connection, row["family"])
        return
    try:
        verified = await rfc9068.verify(keys, token, issuer=issuer, audience=audience)
    except Unauthorized:
        return
    if verified.client_id == client.client_id:
        async with connection.transaction():
            await end_session(connection, verified.session)
