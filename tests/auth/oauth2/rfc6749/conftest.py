"""A person, an app, and what they agreed to."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from liaison.auth.oauth2 import clients
from liaison.auth.oauth2.clients import Client
from liaison.auth.oauth2.rfc6749.grant import Grant
from liaison.auth.oauth2.rfc7636 import challenge_of
from liaison.auth.people import accounts
from liaison.auth.people.accounts import Account
from liaison.auth.people.acting import in_role
from liaison.auth.people.roles import HeldRole
from liaison.auth.sessions import BROWSER, open_session
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key
from liaison.fhir.store.database import Database

REDIRECT = "https://app.example/callback"
VERIFIER = "v" * 43
SCOPE = "openid offline_access user/Observation.rs user/Patient.r"


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[asyncpg.Connection]:
    async with database.writing.acquire() as one:
        yield one


@pytest.fixture
async def app(connection: asyncpg.Connection) -> Client:
    return await clients.add(
        connection,
        client_id="app",
        kind="app",
        name="Logiciel de cabinet",
        scope="openid fhirUser offline_access online_access launch/patient user/*.cruds patient/*.rs",
        redirect_uris=[REDIRECT, "http://127.0.0.1:9000/cb?a=1"],
    )


@pytest.fixture
async def nurse(connection: asyncpg.Connection) -> Account:
    await connection.execute(
        "insert into held_role (role, practitioner, organization, role_code, active, valid_from, valid_to)"
        " values (22, 5, 33, 'nurse', true, '-infinity', 'infinity')"
    )
    return await accounts.add(connection, "nurse", Key(0, kind_of("Practitioner"), 5), pin="271828")


@dataclass
class Agreed:
    """Makes grants that differ in one thing."""

    client: Client
    account: Account
    browser: int
    """The session of the browser in which the person agrees."""

    def grant(self, **changes: Any) -> Grant:
        parts: dict[str, Any] = {
            "client": self.client.number,
            "account": self.account.number,
            "act": in_role(self.account, HeldRole(22, 33, "nurse")),
            "scope": SCOPE,
            "redirect_uri": REDIRECT,
            "challenge": challenge_of(VERIFIER),
            "browser": self.browser,
            **changes,
        }
        return Grant(**parts)


@pytest.fixture
async def agreed(connection: asyncpg.Connection, app: Client, nurse: Account) -> Agreed:
    browser = await open_session(connection, in_role(nurse, HeldRole(22, 33, "nurse")), BROWSER, 3600)
    return Agreed(app, nurse, browser)
