"""Access tokens: what is in one, and what is refused."""

import base64
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey

from liaison.auth.oauth2 import rfc9068
from liaison.auth.oauth2.keys import ACCESS, IDENTITY, SigningKeys
from liaison.fhir.errors import Unauthorized
from liaison.fhir.store.database import Database
from liaison.fhir.vault import FileKeyProvider, Vault

from .proofs import signed_raw

ISSUER, AUDIENCE = "https://liaison.example", "https://liaison.example/fhir"


@pytest.fixture(scope="module")
async def keys(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> SigningKeys:
    """One pair for all, which no test changes: to make an RSA key takes longer than what is asked of it."""
    async with module_database.writing.acquire() as connection:
        vault = await Vault.open(connection, FileKeyProvider.create(tmp_path_factory.mktemp("vault") / "key"))
    return await SigningKeys.open(module_database, vault.territory)


async def issue(keys: SigningKeys, **changes: Any) -> str:
    parts: dict[str, Any] = {
        "issuer": ISSUER,
        "audience": AUDIENCE,
        "subject": "s",
        "client_id": "c",
        "session": 42,
        **changes,
    }
    return await rfc9068.issue(keys, **parts)


async def verify(keys: SigningKeys, token: str) -> rfc9068.Verified:
    return await rfc9068.verify(keys, token, issuer=ISSUER, audience=AUDIENCE)


async def test_a_token_names_its_session_and_nothing_about_rights(keys: SigningKeys) -> None:
    token = await issue(keys)

    verified = await verify(keys, token)
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))

    assert (verified.session, verified.client_id) == (42, "c")
    assert claims.keys() == {"iss", "aud", "sub", "client_id", "iat", "exp", "jti", "sid"}
    assert claims["exp"] - claims["iat"] <= 300


async def test_no_token_lives_longer_than_five_minutes(keys: SigningKeys) -> None:
    verified = await verify(keys, await issue(keys, seconds=86400))

    assert verified.expires_at <= time.time() + 300


async def signed(keys: SigningKeys, header: dict[str, Any], **changes: Any) -> str:
    """A token by our own key, with one thing wrong."""
    key = await keys.signing(ACCESS)
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "s", "client_id": "c", "iat": now, "exp": now + 60, "sid": "42"}
    made = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid, **header}
    return signed_raw("ES256", key, made, {**claims, **changes})


async def test_the_signer_of_these_tests_signs_well(keys: SigningKeys) -> None:
    assert (await verify(keys, await signed(keys, {}))).session == 42


Make = Callable[[SigningKeys], Awaitable[str]]


@pytest.mark.parametrize(
    "make",
    [
        lambda keys: signed(keys, {"typ": "JWT"}),
        lambda keys: signed(keys, {"typ": None}),  # a library was measured to accept it
        lambda keys: signed(keys, {"kid": "unknown"}),
        lambda keys: signed(keys, {"kid": None}),
        lambda keys: signed(keys, {"jku": "https://evil.example/keys"}),
        lambda keys: signed(
            keys, {"crit": ["liaison"], "liaison": "1"}
        ),  # CVE-2025-59420: what nobody knows was ignored
        lambda keys: signed(keys, {"crit": ["exp"]}),
        lambda keys: signed(keys, {}, exp=int(time.time()) - 1),
        lambda keys: signed(keys, {}, exp=None),
        lambda keys: signed(keys, {}, iat=int(time.time()) + 3600, exp=int(time.time()) + 3700),
        lambda keys: signed(keys, {}, aud="https://other.example/fhir"),
        lambda keys: signed(keys, {}, aud=[AUDIENCE, "https://other.example"]),
        lambda keys: signed(keys, {}, iss="https://other.example"),
        lambda keys: signed(keys, {}, sid=None),
        lambda keys: signed(keys, {}, sid="forty-two"),
    ],
)
async def test_one_thing_wrong_is_enough(keys: SigningKeys, make: Make) -> None:
    """blaze#3552: issuer and audience were not looked at."""
    token = await make(keys)

    with pytest.raises(Unauthorized):
        await verify(keys, token)


@pytest.mark.parametrize("token", ["", "a.b.c", "x" * 3000, "é.é.é", "e30.e30.", "..", "eyJhbGciOiJub25lIn0.e30."])
async def test_rubbish_is_refused(keys: SigningKeys, token: str) -> None:
    with pytest.raises(Unauthorized):
        await verify(keys, token)


async def test_a_changed_token_is_refused(keys: SigningKeys) -> None:
    header, payload, signature = (await issue(keys)).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    forged = base64.urlsafe_b64encode(json.dumps({**claims, "sid": "43"}).encode()).rstrip(b"=").decode()

    with pytest.raises(Unauthorized):
        await verify(keys, f"{header}.{forged}.{signature}")


async def test_another_key_under_our_kid_is_refused(keys: SigningKeys) -> None:
    kid = str((await keys.signing(ACCESS)).kid)
    thief = ECKey.generate_key("P-256", parameters={"kid": kid})
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 60, "sid": "42"}
    token = jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": kid}, claims, thief, algorithms=["ES256"])

    with pytest.raises(Unauthorized):
        await verify(keys, token)


async def test_the_key_of_id_tokens_does_not_sign_access_tokens(keys: SigningKeys) -> None:
    key = await keys.signing(IDENTITY)
    now = int(time.time())
    claims = json.dumps({"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 60, "sid": "42"})
    for algorithm in ("RS256", "PS256"):
        header = {"alg": algorithm, "typ": "at+jwt", "kid": key.kid}
        token = jws.serialize_compact(header, claims, key, algorithms=[algorithm])

        with pytest.raises(Unauthorized):
            await verify(keys, token)
