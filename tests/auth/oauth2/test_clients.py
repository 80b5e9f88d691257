"""What may be registered, and what suspending a client ends."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from joserfc.jwk import ECKey, OctKey
from joserfc.util import int_to_base64

from liaison.auth import sessions
from liaison.auth.oauth2 import clients
from liaison.auth.oauth2.clients import ClientProblem
from liaison.auth.oauth2.registration import redirect_problem
from liaison.auth.oauth2.rfc6749 import client_credentials
from liaison.fhir.store.database import Database

from .conftest import VITALS, Register

APP: dict[str, Any] = {
    "kind": "app",
    "scope": "user/*.rs",
    "jwks": None,
    "algorithm": "",
    "organization": 0,
    "role_code": "",
    "purpose": 0,
    "redirect_uris": ["https://app.example/cb"],
}


async def test_what_is_registered_reads_back_without_private_parts(database: Database, register: Register) -> None:
    key = ECKey.generate_key("P-384", parameters={"kid": "k"})
    software = await register(jwks={"keys": [key.as_dict(private=True)]})

    found = await clients.find(database.reading, software.client.client_id)

    assert found is not None
    assert found == software.client
    assert "d" not in found.keys[0]
    assert '"d"' not in await database.reading.fetchval("select jwks::text from client")


async def test_a_public_app_has_no_keys(register: Register) -> None:
    software = await register(**APP)

    assert not software.client.confidential


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": clients.OURS},
        {"kind": "robot"},
        {"jwks": None},
        {"jwks": {"keys": []}},
        {"jwks": {}},
        {"algorithm": "RS256"},
        {"algorithm": "HS256"},
        {"algorithm": ""},
        {"jwks": {"keys": [ECKey.generate_key("P-384").as_dict(private=False)]}},  # no kid
        {"jwks": {"keys": [{"kid": "a", **ECKey.generate_key("P-256").as_dict(private=False)}]}},
        {"jwks": {"keys": [{"kid": "a", **OctKey.generate_key(256).as_dict(private=True)}]}},
        {"jwks": {"keys": [{"kid": "a", "kty": "RSA", "n": "AQ", "e": "AQAB"}]}},
        {"jwks": {"keys": ["x"]}},
        {"scope": "user/*.rs"},
        {"scope": "system/*.sr"},
        {"scope": "openid"},
        {"scope": ""},
        {"organization": 0},
        {"role_code": ""},
        {"purpose": 0},
        {"redirect_uris": ["https://a.example/"]},
        {**APP, "redirect_uris": []},
        {**APP, "scope": "system/*.rs"},
        {**APP, "redirect_uris": ["http://a.example/cb"]},
    ],
)
async def test_an_unsafe_registration_is_refused(register: Register, changes: dict[str, Any]) -> None:
    with pytest.raises(ClientProblem):
        await register(**changes)


async def test_a_short_rsa_key_is_refused(register: Register) -> None:
    numbers = generate_private_key(65537, 1024).public_key().public_numbers()  # joserfc would warn
    short = {"kty": "RSA", "kid": "a", "e": "AQAB", "n": int_to_base64(numbers.n)}

    with pytest.raises(ClientProblem, match="2048"):
        await register("RS384", jwks={"keys": [short]})


async def test_a_client_id_is_taken_once(register: Register) -> None:
    await register(client_id="one")

    with pytest.raises(ClientProblem):
        await register(client_id="one")


@pytest.mark.parametrize(
    "uri",
    [
        "https://a.example/cb",
        "https://a.example/cb?x=1",
        "http://127.0.0.1:8000/cb",
        "http://[::1]/cb",
        "fr.example.a:/cb",
    ],
)
def test_addresses_that_may_be_registered(uri: str) -> None:
    assert redirect_problem(uri) == ""


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "http://a.example/cb",
        "https://*.example/cb",
        "https://a.example/cb#x",
        "https://a.example/cb#",
        "https://a.example@evil.example/",
        "http://localhost:80@evil.example/",
        "https://a.example/c b",
        "https://a.example/cb\n",
        "javascript:alert(1)",
        "data:text/html,x",
        "//a.example/cb",
        "/cb",
        "https:///cb",
        "https://é.example/",
        "https://a.example\\@evil.example/",
    ],
)
def test_addresses_that_may_not(uri: str) -> None:
    assert redirect_problem(uri) != ""


async def test_suspending_ends_what_is_open_and_the_client_is_unknown(database: Database, register: Register) -> None:
    client = (await register()).client
    async with database.writing.acquire() as connection:
        session, _ = await client_credentials.open_for(connection, client, VITALS, 300)

        assert await clients.suspend(connection, client.client_id)

        assert not await sessions.is_alive(connection, session)
        assert await clients.find(connection, client.client_id) is None
        assert await clients.suspend(connection, client.client_id, active=True)
        assert await clients.find(connection, client.client_id) is not None
        assert not await clients.suspend(connection, "unknown")
