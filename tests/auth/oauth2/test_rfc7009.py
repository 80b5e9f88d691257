"""Revocation ends what the client holds, and says nothing."""

from typing import Any

import asyncpg

from liaison.auth import sessions
from liaison.auth.oauth2 import rfc7009, rfc9068
from liaison.auth.oauth2.keys import SigningKeys
from liaison.auth.oauth2.rfc6749 import client_credentials
from liaison.fhir.store.database import Database

from .conftest import VITALS, Register, Software

NAMES: dict[str, Any] = {"issuer": "https://i.example", "audience": "https://i.example/fhir"}


async def held(connection: asyncpg.Connection, keys: SigningKeys, software: Software) -> tuple[str, int]:
    session, _ = await client_credentials.open_for(connection, software.client, VITALS, 300)
    token = await rfc9068.issue(keys, subject="s", client_id=software.client.client_id, session=session, **NAMES)
    return token, session


async def test_an_access_token_ends_with_its_session(database: Database, keys: SigningKeys, register: Register) -> None:
    software = await register()
    async with database.writing.acquire() as connection:
        token, session = await held(connection, keys, software)

        await rfc7009.revoke(connection, software.client, token, keys=keys, **NAMES)

        assert not await sessions.is_alive(connection, session)


async def test_a_client_cannot_revoke_anothers_token(database: Database, keys: SigningKeys, register: Register) -> None:
    owner, other = await register(), await register()
    async with database.writing.acquire() as connection:
        token, session = await held(connection, keys, owner)

        await rfc7009.revoke(connection, other.client, token, keys=keys, **NAMES)
        await rfc7009.revoke(connection, other.client, "rubbish", keys=keys, **NAMES)

        assert await sessions.is_alive(connection, session)
