"""A code lives 60 seconds, works once, and burns on the first failure."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from liaison.auth import sessions
from liaison.auth.oauth2.clients import Client
from liaison.auth.oauth2.errors import InvalidGrant
from liaison.auth.oauth2.rfc6749 import codes, refresh_tokens
from liaison.auth.oauth2.rfc6749.grant import Redeemed
from liaison.auth.people import accounts
from liaison.fhir.store.database import Database

from .conftest import REDIRECT, VERIFIER, Agreed


async def redeem(
    connection: asyncpg.Connection, client: Client, code: str, uri: str = REDIRECT, verifier: str = VERIFIER
) -> Redeemed | None:
    try:
        return await codes.redeem(connection, client, code, uri, verifier, 300)
    except InvalidGrant:
        return None


async def test_a_code_gives_a_session_bounded_by_its_scope(connection: asyncpg.Connection, agreed: Agreed) -> None:
    code = await codes.issue(connection, agreed.grant())

    redeemed = await redeem(connection, agreed.client, code)

    assert redeemed is not None
    caller = await sessions.caller_of(connection, redeemed.session)
    assert caller is not None
    assert caller.bound.allows("r", "Observation")
    assert not caller.bound.allows("c", "Observation")
    assert (caller.practitioner, caller.role, caller.client) == (5, 22, 0)  # a person's rights, not a client's
    assert redeemed.refresh_token


async def test_a_bad_presentation_burns_the_code(connection: asyncpg.Connection, agreed: Agreed) -> None:
    other = replace(agreed.client, number=agreed.client.number + 1)
    for client, uri, verifier in (
        (other, REDIRECT, VERIFIER),
        (agreed.client, REDIRECT + "/", VERIFIER),
        (agreed.client, "", VERIFIER),
        (agreed.client, REDIRECT, "w" * 43),
        (agreed.client, REDIRECT, ""),
        (agreed.client, REDIRECT, "v" * 42),
    ):
        code = await codes.issue(connection, agreed.grant())

        assert await redeem(connection, client, code, uri, verifier) is None
        assert await redeem(connection, agreed.client, code) is None  # the right one comes too late


async def test_an_expired_code_is_refused(connection: asyncpg.Connection, agreed: Agreed) -> None:
    code = await codes.issue(connection, agreed.grant())
    await connection.execute("update authorization_code set expires_at = now()")

    assert await redeem(connection, agreed.client, code) is None


async def test_a_code_lives_sixty_seconds(connection: asyncpg.Connection, agreed: Agreed) -> None:
    await codes.issue(connection, agreed.grant())

    assert await connection.fetchval("select expires_at - now() <= interval '60 seconds' from authorization_code")


async def test_a_code_used_twice_ends_what_it_gave(connection: asyncpg.Connection, agreed: Agreed) -> None:
    code = await codes.issue(connection, agreed.grant())
    redeemed = await redeem(connection, agreed.client, code)
    assert redeemed is not None
    assert await sessions.is_alive(connection, redeemed.session)

    assert await redeem(connection, agreed.client, code) is None

    assert not await sessions.is_alive(connection, redeemed.session)
    with pytest.raises(InvalidGrant):
        await refresh_tokens.rotate(connection, agreed.client, redeemed.refresh_token, "", 300)


async def test_of_twenty_racers_one_wins_and_the_family_falls(
    database: Database, connection: asyncpg.Connection, agreed: Agreed
) -> None:
    code = await codes.issue(connection, agreed.grant())

    async def race() -> Redeemed | None:
        async with database.writing.acquire() as one:
            return await redeem(one, agreed.client, code)

    won = [one for one in await asyncio.gather(*(race() for _ in range(20))) if one is not None]

    assert len(won) == 1
    assert not await sessions.is_alive(connection, won[0].session)
    with pytest.raises(InvalidGrant):
        await refresh_tokens.rotate(connection, agreed.client, won[0].refresh_token, "", 300)


async def test_nothing_is_given_to_who_is_no_longer_there(connection: asyncpg.Connection, agreed: Agreed) -> None:
    for statement in (
        "update account set active = false",
        "update client set active = false",
        "update held_role set active = false",
        "update held_role set valid_to = now()",
    ):
        async with connection.transaction():
            code = await codes.issue(connection, agreed.grant())
            await connection.execute(statement)
            assert await redeem(connection, agreed.client, code) is None
            await connection.execute("update account set active = true")
            await connection.execute("update client set active = true")
            await connection.execute("update held_role set active = true, valid_to = 'infinity'")


async def test_ending_everything_takes_the_codes_too(connection: asyncpg.Connection, agreed: Agreed) -> None:
    code = await codes.issue(connection, agreed.grant())
    await accounts.suspend(connection, "nurse")
    await accounts.suspend(connection, "nurse", active=True)

    assert await redeem(connection, agreed.client, code) is None


async def test_no_code_and_no_token_is_kept_in_clear(connection: asyncpg.Connection, agreed: Agreed) -> None:
    code = await codes.issue(connection, agreed.grant())
    redeemed = await redeem(connection, agreed.client, code)
    assert redeemed is not None

    kept = await connection.fetch("select * from authorization_code")
    kept += await connection.fetch("select * from refresh_token")

    for secret in (code, redeemed.refresh_token):
        assert secret not in str([dict(row) for row in kept])
        assert secret.encode() not in b"".join(
            value for row in kept for value in row.values() if isinstance(value, bytes)
        )
