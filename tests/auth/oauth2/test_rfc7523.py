"""private_key_jwt: the traps measured on other validators, each refused here, each with one and the same error."""

import asyncio
import base64
import hmac
import json
import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from liaison.auth.oauth2 import rfc7523
from liaison.auth.oauth2.errors import InvalidClient
from liaison.auth.oauth2.rfc7517 import KeySets
from liaison.fhir.store.database import Database

from .conftest import TOKEN_URL, Register, Software
from .proofs import signed_raw


@pytest.fixture
def database(module_database: Database) -> Database:
    """One for all: each test registers software of its own."""
    return module_database


async def accepted(database: Database, software: Software, assertion: str) -> bool:
    try:
        await rfc7523.accept(database.writing, software.client, assertion, TOKEN_URL, KeySets(), time.time())
    except InvalidClient:
        return False
    return True


@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
async def test_both_algorithms_of_smart_are_accepted(database: Database, register: Register, algorithm: str) -> None:
    software = await register(algorithm)

    assert await accepted(database, software, software.assertion())


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 10 * 365 * 86400},
        {"exp": 400},
        {"exp": -60},
        {"exp": None},
        {"exp": "4102444800"},
        {"exp": True},
        {"aud": [TOKEN_URL, "https://elsewhere.example/token"]},
        {"aud": "https://elsewhere.example/token"},
        {"aud": TOKEN_URL + "/"},
        {"aud": None},
        {"aud": []},
        {"iss": "someone-else"},
        {"sub": "someone-else"},
        {"iss": None},
        {"sub": None},
        {"jti": None},
        {"jti": ""},
        {"jti": 5},
        {"jti": "x" * 300},
        {"iat": 3600},
        {"nbf": 3600},
    ],
)
async def test_claims_out_of_bounds_are_refused(
    database: Database, register: Register, changes: dict[str, Any]
) -> None:
    software = await register()
    if isinstance(moment := next(iter(changes.values())), int) and not isinstance(moment, bool):
        changes = {name: int(time.time()) + moment if name in ("exp", "iat", "nbf") else moment for name in changes}

    assert not await accepted(database, software, software.assertion(**changes))
    assert await accepted(database, software, software.assertion())  # the same client, with nothing changed


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "at+jwt"},
        {"typ": None},
        {"kid": None},
        {"kid": "unknown"},
        {"jku": "https://elsewhere.example/jwks.json"},
        {"jwk": ECKey.generate_key("P-384").as_dict(private=False)},
        {"crit": ["exp"]},
        {"x5u": "https://elsewhere.example/cert"},
    ],
)
async def test_a_header_that_would_choose_the_key_or_the_type_is_refused(
    database: Database, register: Register, header: dict[str, Any]
) -> None:
    software = await register()

    assert not await accepted(database, software, _signed_raw(software, header))


def _signed_raw(software: Software, header: dict[str, Any]) -> str:
    made = {"alg": software.algorithm, "typ": "JWT", "kid": software.key.kid, **header}
    return signed_raw(software.algorithm, software.key, made, software.claims())


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


async def test_the_raw_signer_of_these_tests_signs_well(database: Database, register: Register) -> None:
    software = await register()

    assert await accepted(database, software, _signed_raw(software, {}))


async def test_only_the_registered_algorithm_counts(database: Database, register: Register) -> None:
    software = await register("RS384")
    for algorithm in ("RS256", "RS512", "PS384"):
        other = Software(software.client, software.key, algorithm)

        assert not await accepted(database, software, other.assertion())


async def test_a_public_key_is_never_an_hmac_secret(database: Database, register: Register) -> None:
    software = await register("RS384")
    secret = software.key.as_bytes(encoding="PEM", private=False)
    header = {"alg": "HS384", "typ": "JWT", "kid": software.key.kid}
    parts = ".".join(_b64(json.dumps(part).encode()) for part in (header, software.claims()))
    forged = f"{parts}.{_b64(hmac.digest(secret, parts.encode(), 'sha384'))}"

    assert not await accepted(database, software, forged)


async def test_an_unsigned_assertion_is_refused(database: Database, register: Register) -> None:
    software = await register()
    parts = [_b64(json.dumps(part).encode()) for part in ({"alg": "none", "typ": "JWT"}, software.claims())]

    assert not await accepted(database, software, ".".join([*parts, ""]))


async def test_another_key_under_the_same_kid_is_refused(database: Database, register: Register) -> None:
    software = await register()
    thief = Software(
        software.client, ECKey.generate_key("P-384", parameters={"kid": str(software.key.kid)}), software.algorithm
    )

    assert not await accepted(database, software, thief.assertion())


async def test_two_keys_of_one_kid_select_none(database: Database, register: Register) -> None:
    key, other = (ECKey.generate_key("P-384", parameters={"kid": "a"}) for _ in range(2))
    software = await register(jwks={"keys": [key.as_dict(private=False), other.as_dict(private=False)]})

    assert not await accepted(database, software, Software(software.client, key, "ES384").assertion())


async def test_a_kid_of_another_key_type_selects_none(database: Database, register: Register) -> None:
    key = RSAKey.generate_key(2048, parameters={"kid": "a"})
    software = await register(jwks={"keys": [key.as_dict(private=False)]})  # ES384 is registered

    assert not await accepted(database, software, Software(software.client, key, "RS384").assertion())


async def test_an_assertion_works_once(database: Database, register: Register) -> None:
    software = await register()
    assertion = software.assertion()

    assert await accepted(database, software, assertion)
    assert not await accepted(database, software, assertion)


async def test_one_jti_of_two_clients_is_two(database: Database, register: Register) -> None:
    for _ in range(2):
        software = await register()

        assert await accepted(database, software, software.assertion(jti="the-same"))


async def test_of_twenty_racers_with_one_jti_one_passes(database: Database, register: Register) -> None:
    software = await register()
    assertion = software.assertion()

    results = await asyncio.gather(*(accepted(database, software, assertion) for _ in range(20)))

    assert results.count(True) == 1


@pytest.mark.parametrize(
    "text", ["", "a", "a.b", "a.b.c", "....", "é.é.é", "e30.e30.", "x" * 9000, "eyJhbGciOjF9.W10.AA"]
)
async def test_rubbish_is_refused(database: Database, register: Register, text: str) -> None:
    software = await register()

    assert not await accepted(database, software, text)
    with pytest.raises(InvalidClient):
        rfc7523.client_id_of(text)


async def test_the_library_alone_would_accept_a_far_exp_and_a_foreign_audience(register: Register) -> None:
    """The planted fault: a server that trusts the library's signature check. It accepts what is refused above."""
    software = await register()
    assertion = software.assertion(
        exp=int(time.time()) + 10 * 365 * 86400, aud=[TOKEN_URL, "https://elsewhere.example"]
    )

    token = jwt.decode(assertion, software.key, algorithms=["ES384"])

    assert token.claims["sub"] == software.client.client_id
    with pytest.raises(InvalidClient):
        rfc7523.check_claims(software.client, token.claims, TOKEN_URL, time.time())
