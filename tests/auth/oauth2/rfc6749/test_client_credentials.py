"""A system acts for its owner organisation, never more."""

from dataclasses import replace

import asyncpg
import pytest

from liaison.auth import sessions
from liaison.auth.oauth2.errors import InvalidScope, UnauthorizedClient
from liaison.auth.oauth2.rfc6749 import client_credentials

from ..conftest import ORGANIZATION, VITALS, Register


async def test_the_session_is_of_client_and_organisation_in_the_registered_role(
    connection: asyncpg.Connection, register: Register
) -> None:
    client = (await register()).client

    session, scopes = await client_credentials.open_for(connection, client, VITALS, 300)

    caller = await sessions.caller_of(connection, session)
    assert caller is not None
    assert (caller.client, caller.organization, caller.role_code, caller.purpose) == (
        client.number,
        ORGANIZATION,
        "nurse",
        1,
    )
    assert (caller.practitioner, caller.account) == (0, 0)
    principals = "select principals from access_session where session = $1"
    assert await connection.fetchval(principals, session) == [client.number, ORGANIZATION]
    assert str(scopes) == VITALS


async def test_asking_for_more_gives_what_is_registered(connection: asyncpg.Connection, register: Register) -> None:
    client = (await register()).client

    session, scopes = await client_credentials.open_for(connection, client, "system/*.cruds", 300)

    assert str(scopes) == VITALS
    caller = await sessions.caller_of(connection, session)
    assert caller is not None
    assert not caller.bound.allows("c", "Observation")
    assert not caller.bound.allows("r", "Patient")


async def test_who_asks_for_no_scope_gets_what_is_registered(
    connection: asyncpg.Connection, register: Register
) -> None:
    client = (await register()).client

    _, scopes = await client_credentials.open_for(connection, client, "", 300)

    assert str(scopes) == str(client.scopes)


@pytest.mark.parametrize("scope", ["system/Patient.rs", "user/Observation.rs", "system/Observation.sr", "openid"])
async def test_nothing_in_common_is_an_error(connection: asyncpg.Connection, register: Register, scope: str) -> None:
    client = (await register()).client

    with pytest.raises(InvalidScope):
        await client_credentials.open_for(connection, client, scope, 300)


async def test_an_app_or_a_client_without_keys_may_not(connection: asyncpg.Connection, register: Register) -> None:
    client = (await register()).client
    for other in (replace(client, kind="app"), replace(client, keys=())):
        with pytest.raises(UnauthorizedClient):
            await client_credentials.open_for(connection, other, VITALS, 300)
