"""Refresh tokens rotate; one that comes twice ends its family."""

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from liaison.auth import sessions
from liaison.auth.oauth2.errors import InvalidGrant, InvalidScope
from liaison.auth.oauth2.rfc6749 import codes, refresh_tokens
from liaison.auth.oauth2.rfc6749.grant import Redeemed
from liaison.fhir.store.database import Database

from .conftest import REDIRECT, VERIFIER, Agreed


async def first(connection: asyncpg.Connection, agreed: Agreed, scope: str | None = None) -> Redeemed:
    grant = agreed.grant(**({"scope": scope} if scope else {}))
    code = await codes.issue(connection, grant)
    return await codes.redeem(connection, agreed.client, code, REDIRECT, VERIFIER, 300)


async def rotate(connection: asyncpg.Connection, agreed: Agreed, token: str, scope: str = "") -> Redeemed:
    return await refresh_tokens.rotate(connection, agreed.client, token, scope, 300)


async def test_only_what_was_granted_for_later_can_be_refreshed(connection: asyncpg.Connection, agreed: Agreed) -> None:
    assert (await first(connection, agreed, "user/Patient.r")).refresh_token == ""
    assert (await first(connection, agreed, "online_access user/Patient.r")).refresh_token != ""


async def test_each_rotation_gives_a_new_session_and_a_new_token(
    connection: asyncpg.Connection, agreed: Agreed
) -> None:
    start = await first(connection, agreed)

    following = await rotate(connection, agreed, start.refresh_token)

    assert following.session != start.session
    assert following.refresh_token != start.refresh_token
    assert await sessions.is_alive(connection, following.session)


async def test_a_token_used_twice_ends_the_family(connection: asyncpg.Connection, agreed: Agreed) -> None:
    start = await first(connection, agreed)
    following = await rotate(connection, agreed, start.refresh_token)

    with pytest.raises(InvalidGrant):
        await rotate(connection, agreed, start.refresh_token)

    for session in (start.session, following.session):
        assert not await sessions.is_alive(connection, session)
    with pytest.raises(InvalidGrant):
        await rotate(connection, agreed, following.refresh_token)


async def test_of_twenty_racers_one_wins_and_the_family_falls(
    database: Database, connection: asyncpg.Connection, agreed: Agreed
) -> None:
    start = await first(connection, agreed)

    async def race() -> Redeemed | None:
        async with database.writing.acquire() as one:
            try:
                return await rotate(one, agreed, start.refresh_token)
            except InvalidGrant:
                return None

    won = [one for one in await asyncio.gather(*(race() for _ in range(20))) if one is not None]

    assert len(won) == 1
    assert not await sessions.is_alive(connection, won[0].session)
    with pytest.raises(InvalidGrant):
        await rotate(connection, agreed, won[0].refresh_token)


async def test_another_client_cannot_use_it_and_ends_it_by_trying(
    connection: asyncpg.Connection, agreed: Agreed
) -> None:
    start = await first(connection, agreed)
    thief = replace(agreed.client, number=agreed.client.number + 1)

    with pytest.raises(InvalidGrant):
        await refresh_tokens.rotate(connection, thief, start.refresh_token, "", 300)

    assert not await sessions.is_alive(connection, start.session)


async def test_the_family_does_not_outlive_its_thirty_days(connection: asyncpg.Connection, agreed: Agreed) -> None:
    start = await first(connection, agreed)
    await connection.execute("update refresh_token set expires_at = expires_at - interval '29 days'")
    following = await rotate(connection, agreed, start.refresh_token)

    left = await connection.fetchval("select max(expires_at) - now() <= interval '1 day' from refresh_token")
    assert left  # rotating did not prolong it
    await connection.execute("update refresh_token set expires_at = now()")
    with pytest.raises(InvalidGrant):
        await rotate(connection, agreed, following.refresh_token)


async def test_a_refresh_may_narrow_and_never_widen(connection: asyncpg.Connection, agreed: Agreed) -> None:
    start = await first(connection, agreed)

    narrowed = await rotate(connection, agreed, start.refresh_token, "user/Patient.r user/Condition.cruds")
    caller = await sessions.caller_of(connection, narrowed.session)
    assert caller is not None
    assert caller.bound.allows("r", "Patient")
    assert not caller.bound.allows("r", "Observation")
    assert not caller.bound.allows("r", "Condition")

    # The grant itself was not narrowed: the next refresh may ask for all of it again.
    whole = await sessions.caller_of(connection, (await rotate(connection, agreed, narrowed.refresh_token)).session)
    assert whole is not None
    assert whole.bound.allows("r", "Observation")


async def test_scopes_that_were_not_granted_are_refused_without_using_the_token_up(
    connection: asyncpg.Connection, agreed: Agreed
) -> None:
    start = await first(connection, agreed)

    with pytest.raises(InvalidScope):
        await rotate(connection, agreed, start.refresh_token, "user/Condition.rs")
    with pytest.raises(InvalidScope):
        await rotate(connection, agreed, start.refresh_token, "user/Patient.xyz")

    assert await rotate(connection, agreed, start.refresh_token)


@pytest.mark.parametrize(
    "statement",
    [
        "update account set active = false",
        "update client set active = false",
        "update held_role set active = false",
    ],
)
async def test_a_refresh_looks_again_at_person_client_and_role(
    connection: asyncpg.Connection, agreed: Agreed, statement: str
) -> None:
    start = await first(connection, agreed)
    await connection.execute(statement)

    with pytest.raises(InvalidGrant):
        await rotate(connection, agreed, start.refresh_token)
