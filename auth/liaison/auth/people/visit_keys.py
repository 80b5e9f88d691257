"""The keys to which telephones seal finished visits, so that a telephone cannot read back what it keeps.

RFC 9180 HPKE, base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. What is sealed begins with the encapsulated key
of 32 bytes. Base mode says nothing of the sender: the letter inside is signed.
"""

import base64
import secrets
from datetime import timedelta
from typing import Final, NamedTuple

import asyncpg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from liaison.fhir.vault import NotAuthentic, PatientKey, context

SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
INFO: Final = b"liaison visit 1"
ROTATED: Final = timedelta(days=30)
"""How old the key of new tours may be."""
KEPT: Final = ROTATED + timedelta(days=60)
"""How long a key opens what was sealed to it. A telephone that was found again after a holiday still delivers."""
_LOCK: Final = 0x11A0DE


class Unreadable(ValueError):
    """What was sealed does not open: another key, or altered on its way."""


class VisitKey(NamedTuple):
    """What a telephone is given: the name of a key, and its public part in base64url."""

    kid: str
    public: str


async def current(pool: asyncpg.Pool, vault_key: PatientKey) -> VisitKey:
    """The key that new tours carry. Made when there is none, or the last one is too old; once, whatever the number of workers."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        row = await connection.fetchrow(
            "select kid, public from visit_key where made_at > now() - $1::interval order by made_at desc limit 1",
            ROTATED,
        )
        if row is None:
            row = await _made(connection, vault_key)
    return _named(row)


async def rotate(connection: asyncpg.Connection, vault_key: PatientKey) -> VisitKey:
    """Another key for new tours, in the caller's transaction. What was sealed to the one before opens for as long as it did."""
    await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
    return _named(await _made(connection, vault_key))


def _named(row: asyncpg.Record) -> VisitKey:
    return VisitKey(row["kid"], base64.urlsafe_b64encode(row["public"]).rstrip(b"=").decode())


async def _made(connection: asyncpg.Connection, vault_key: PatientKey) -> asyncpg.Record:
    private, kid = X25519PrivateKey.generate(), secrets.token_urlsafe(8)
    return await connection.fetchrow(
        "insert into visit_key (kid, public, sealed) values ($1, $2, $3) returning kid, public",
        kid,
        private.public_key().public_bytes_raw(),
        vault_key.seal(context("visit key", kid), private.private_bytes_raw()),
    )


async def ages(connection: "asyncpg.Connection | asyncpg.Pool") -> list[tuple[str, timedelta]]:
    """The name and age of each that is kept, the newest first: to that one new tours seal."""
    rows = await connection.fetch("select kid, now() - made_at as age from visit_key order by made_at desc")
    return [(row["kid"], row["age"]) for row in rows]


async def opened(
    connection: "asyncpg.Connection | asyncpg.Pool", vault_key: PatientKey, kid: str, sealed: bytes
) -> bytes:
    """What a telephone has sealed to the key of this name. Raises Unreadable."""
    kept = await connection.fetchval(
        "select sealed from visit_key where kid = $1 and made_at > now() - $2::interval", kid, KEPT
    )
    if kept is None:
        raise Unreadable
    try:
        private = X25519PrivateKey.from_private_bytes(vault_key.open(context("visit key", kid), kept))
        return SUITE.decrypt(sealed, private, info=INFO)
    except (NotAuthentic, InvalidTag, ValueError):
        raise Unreadable from None


async def sweep(connection: "asyncpg.Connection | asyncpg.Pool") -> None:
    await connection.execute("delete from visit_key where made_at < now() - $1::interval", KEPT)
