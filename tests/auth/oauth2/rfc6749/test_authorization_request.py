"""What software may ask for, and where errors may go."""

import asyncpg
import pytest

from liaison.auth.oauth2.clients import Client
from liaison.auth.oauth2.errors import InvalidRequest, OAuthError
from liaison.auth.oauth2.rfc6749.authorization_request import Answerable, read_request
from liaison.auth.oauth2.rfc7636 import challenge_of

from .conftest import REDIRECT, VERIFIER

FHIR = "https://liaison.example/fhir"
GOOD = {
    "response_type": "code",
    "client_id": "app",
    "redirect_uri": REDIRECT,
    "scope": "openid user/Observation.rs",
    "state": "s-1",
    "aud": FHIR,
    "code_challenge": challenge_of(VERIFIER),
    "code_challenge_method": "S256",
}


def pairs(**changes: str | None) -> list[tuple[str, str]]:
    return [(name, value) for name, value in {**GOOD, **changes}.items() if value is not None]


async def test_a_good_request_is_read(connection: asyncpg.Connection, app: Client) -> None:
    asked = await read_request(connection, pairs(nonce="n"), FHIR)

    assert (asked.client, asked.redirect_uri, asked.state, asked.nonce) == (app, REDIRECT, "s-1", "n")
    assert str(asked.scopes) == "openid user/Observation.rs"


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "unknown"},
        {"client_id": None},
        {"redirect_uri": None},
        {"redirect_uri": REDIRECT + "/"},
        {"redirect_uri": REDIRECT + "?x=1"},
        {"redirect_uri": REDIRECT.upper()},
        {"redirect_uri": "https://app.example/callback/../evil"},
        {"redirect_uri": "https://app.example:443/callback"},
        {"redirect_uri": "https://app.example@evil.example/callback"},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": "http://127.0.0.1:9001/cb?a=1"},
        {"redirect_uri": "javascript:alert(1)"},
    ],
    ids=str,
)
async def test_without_a_registered_address_nothing_is_sent_anywhere(
    connection: asyncpg.Connection, app: Client, changes: dict[str, str | None]
) -> None:
    with pytest.raises(OAuthError):
        await read_request(connection, pairs(**changes), FHIR)


async def test_an_unknown_client_reads_like_a_foreign_address(connection: asyncpg.Connection, app: Client) -> None:
    texts = set()
    for changes in ({"client_id": "unknown"}, {"redirect_uri": "https://evil.example/"}):
        with pytest.raises(OAuthError) as refused:
            await read_request(connection, pairs(**changes), FHIR)
        texts.add((refused.value.error, refused.value.description))

    assert len(texts) == 1


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": None}, "invalid_request"),
        ({"state": None}, "invalid_request"),
        ({"aud": None}, "invalid_request"),
        ({"aud": "https://other.example/fhir"}, "invalid_target"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),  # RFC 7636's default would be plain
        ({"scope": None}, "invalid_request"),
        ({"scope": "user/Observation.sr"}, "invalid_scope"),
        ({"scope": "fhirUser launch/patient"}, "invalid_scope"),  # neither who someone is nor anything of anybody
        ({"scope": "system/*.rs"}, "invalid_scope"),
        ({"request_uri": "https://evil.example/r"}, "request_uri_not_supported"),
        ({"request": "a.b.c"}, "request_not_supported"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"launch": "xyz"}, "invalid_scope"),
    ],
    ids=str,
)
async def test_other_errors_go_back_to_the_client(
    connection: asyncpg.Connection, app: Client, changes: dict[str, str | None], error: str
) -> None:
    with pytest.raises(Answerable) as refused:
        await read_request(connection, pairs(**changes), FHIR)

    assert refused.value.error.error == error
    assert refused.value.redirect_uri == REDIRECT


@pytest.mark.parametrize("name", ["redirect_uri", "client_id"])
async def test_an_address_or_a_client_that_comes_twice_is_told_to_nobody_s_software(
    connection: asyncpg.Connection, app: Client, name: str
) -> None:
    for second in (dict(pairs())[name], "https://evil.example/"):
        with pytest.raises(InvalidRequest):
            await read_request(connection, [*pairs(), (name, second)], FHIR)


@pytest.mark.parametrize(
    "wrong",
    [("scope", "user/*.cruds"), ("nonce", "a\0b"), ("unknown", "x" * 9000), ("state", "other")],
    ids=lambda it: it[0],
)
async def test_any_other_that_comes_twice_or_is_malformed_goes_back_to_the_client(
    connection: asyncpg.Connection, app: Client, wrong: tuple[str, str]
) -> None:
    """RFC 6749 §4.1.2.1: a parameter more than once is an invalid_request."""
    with pytest.raises(Answerable) as refused:
        await read_request(connection, [*pairs(), wrong], FHIR)

    assert (refused.value.error.error, refused.value.redirect_uri) == ("invalid_request", REDIRECT)
    assert refused.value.state == ("" if wrong[0] == "state" else dict(pairs())["state"])


async def test_a_suspended_client_is_unknown(connection: asyncpg.Connection, app: Client) -> None:
    await connection.execute("update client set active = false")

    with pytest.raises(OAuthError):
        await read_request(connection, pairs(), FHIR)


async def test_scopes_are_cut_to_the_registration(connection: asyncpg.Connection, app: Client) -> None:
    await connection.execute("update client set scope = 'user/Observation.rs?category=vital-signs user/Patient.r'")

    asked = await read_request(connection, pairs(scope="openid user/*.cruds"), FHIR)

    assert str(asked.scopes) == "user/Observation.rs?category=vital-signs user/Patient.r"
