"""Who is calling: fast for a known token, and never a right that is remembered."""

from typing import Any

import pytest

from liaison.auth import sessions
from liaison.auth.oauth2 import rfc9068
from liaison.auth.oauth2.keys import SigningKeys
from liaison.auth.oauth2.rfc6749 import client_credentials
from liaison.auth.oauth2.rfc6750 import Bearer
from liaison.fhir.errors import Unauthorized
from liaison.fhir.store.database import Database

from .conftest import VITALS, Register

NAMES: dict[str, Any] = {"issuer": "https://i.example", "audience": "https://i.example/fhir"}


@pytest.fixture
async def bearer(database: Database, keys: SigningKeys) -> Bearer:
    return Bearer(database, keys, **NAMES)


@pytest.fixture
async def given(database: Database, keys: SigningKeys, register: Register) -> tuple[str, int]:
    """A header, and the session behind it."""
    client = (await register()).client
    async with database.writing.acquire() as connection:
        session, _ = await client_credentials.open_for(connection, client, VITALS, 300)
    token = await rfc9068.issue(keys, subject="s", client_id=client.client_id, session=session, **NAMES)
    return f"Bearer {token}", session


async def test_a_token_gives_its_session_and_scopes(bearer: Bearer, given: tuple[str, int]) -> None:
    header, session = given

    caller = await bearer.caller(header)

    assert caller.session == session
    assert caller.role_code == "nurse"
    assert caller.bound.criteria("r", "Observation") != ()
    assert not caller.bound.allows("c", "Observation")
    assert await bearer.caller(header) is caller
    assert (await bearer.caller(header.replace("Bearer", "bearer"))).session == session


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a.b.c", "Bearer \ud800", "é"])
async def test_anything_else_is_unauthorized_with_one_text(bearer: Bearer, header: str) -> None:
    with pytest.raises(Unauthorized) as refused:
        await bearer.caller(header)

    assert str(refused.value) == str(rfc9068.refused())


async def test_a_token_of_an_ended_session_is_refused_by_a_worker_that_does_not_know_it(
    database: Database, bearer: Bearer, given: tuple[str, int]
) -> None:
    header, session = given
    async with database.writing.acquire() as connection:
        await sessions.end_session(connection, session)

    with pytest.raises(Unauthorized):
        await bearer.caller(header)


async def test_a_known_token_is_forgotten_when_it_expires(
    database: Database, bearer: Bearer, given: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    header, _ = given
    await bearer.caller(header)
    seconds = database.clock.seconds()

    monkeypatch.setattr(database.clock, "seconds", lambda: seconds + 301)

    with pytest.raises(Unauthorized):
        await bearer.caller(header)
