"""Pushed authorization requests (RFC 9126): the client hands its request over directly, proven to be its own, and the
browser carries a reference only. What a person is shown is then what the client asked, whoever touched the address.

A reference is for one client, ten minutes, and is used up when the person has decided. Kept: its SHA-256, and the
request sealed under the territory key, since it may name a launch.
"""

import secrets
from collections.abc import Iterable
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlencode

import asyncpg

from liaison.auth.digests import digest
from liaison.auth.oauth2.clients import Client
from liaison.auth.oauth2.errors import InvalidClient, InvalidRequest
from liaison.auth.oauth2.keys import Sealer
from liaison.auth.oauth2.rfc6749.authorization_request import Answerable, read_request
from liaison.auth.oauth2.rfc6749.parameters import Parameters
from liaison.fhir.vault import context

LIFETIME: Final = 600
PREFIX: Final = "urn:ietf:params:oauth:request_uri:"
# What proves who the client is belongs to this one request, and is no part of what is asked.
_PROOF: Final = frozenset({"client_assertion", "client_assertion_type"})

Pairs = list[tuple[str, str]]


class Unfolded(NamedTuple):
    """The parameters of an authorization request, and the reference they were kept under ('' when they came along)."""

    pairs: Pairs
    reference: str


async def push(
    connection: "asyncpg.Connection | asyncpg.Pool",
    sealer: Sealer,
    client: Client,
    pairs: Iterable[tuple[str, str]],
    fhir_base: str,
) -> str:
    """The reference of a request that has passed the same checks as at the authorization endpoint (§2.1). Raises
    OAuthError: nothing is redirected here."""
    kept = [pair for pair in pairs if pair[0] not in _PROOF]
    named = dict(kept).get("client_id", "")
    if not named:
        kept.append(("client_id", client.client_id))
    elif named != client.client_id:
        raise InvalidClient
    if any(name == "request_uri" for name, _ in kept):
        raise InvalidRequest("A pushed request has no request_uri.")
    try:
        await read_request(connection, kept, fhir_base)
    except Answerable as refused:
        raise refused.error from None
    reference = PREFIX + secrets.token_urlsafe(32)
    await connection.execute(
        """
        insert into pushed_request (reference, client, sealed, expires_at)
        values ($1, $2, $3, now() + make_interval(secs => $4))
        """,
        digest(reference),
        client.number,
        sealer.seal(_bound(digest(reference)), urlencode(kept).encode()),
        LIFETIME,
    )
    return reference


async def unfold(
    connection: "asyncpg.Connection | asyncpg.Pool", sealer: Sealer, pairs: Iterable[tuple[str, str]]
) -> Unfolded:
    """What was pushed, in the place of its reference (§4); a request without one as it is. Parameters beside the
    reference count for nothing. Raises InvalidRequest, with one text, for a reference that is unknown, over, used, or
    another client's."""
    given = list(pairs)
    parameters, _ = Parameters.looked_at(given)  # `read_request` refuses what is wrong, and knows whom to tell
    reference = parameters["request_uri"]
    if not reference.startswith(PREFIX):
        return Unfolded(given, "")
    row: Any = await connection.fetchrow(
        """
        select p.sealed from pushed_request p join client c on c.client = p.client and c.active
        where p.reference = $1 and c.client_id = $2 and p.used_at is null and p.expires_at > now()
        """,
        digest(reference),
        parameters.required("client_id"),
    )
    if row is None:
        raise InvalidRequest("The request_uri is not valid for this client.")
    kept = sealer.open(_bound(digest(reference)), bytes(row["sealed"])).decode()
    return Unfolded(parse_qsl(kept, keep_blank_values=True), reference)


async def use(connection: "asyncpg.Connection | asyncpg.Pool", reference: str) -> bool:
    """Uses a reference up. Of those who come with one at once, exactly one hears True."""
    return bool(
        await connection.fetchval(
            """
            update pushed_request set used_at = now()
            where reference = $1 and used_at is null and expires_at > now() returning true
            """,
            digest(reference),
        )
    )


def _bound(reference: bytes) -> bytes:
    return context("pushed request", reference.hex())
