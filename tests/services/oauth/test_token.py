"""/oauth/token from the outside: what a backend and an app get, and the one text for every failure."""

import time
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from liaison.auth.oauth2 import clients, rfc7523
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import Unauthorized
from liaison.fhir.store.contract import Request
from liaison.services.house import House

from .conftest import FHIR, REDIRECT, URL, VERIFIER, Place, agree, claims_of, query_of, redeem

TOKEN = f"{URL}/oauth/token"
VITALS = "system/Observation.rs?category=vital-signs"


class Backend:
    """A registered system with its private key."""

    def __init__(self, key: ECKey | RSAKey, algorithm: str) -> None:
        self.key, self.algorithm = key, algorithm

    def form(self, scope: str = VITALS, **claims: Any) -> dict[str, str]:
        now = int(time.time())
        made = {
            "iss": "backend",
            "sub": "backend",
            "aud": TOKEN,
            "exp": now + 60,
            "jti": str(time.time_ns()),
            **claims,
        }
        header = {"alg": self.algorithm, "kid": self.key.kid, "typ": "JWT"}
        return {
            "grant_type": "client_credentials",
            "scope": scope,
            "client_assertion_type": rfc7523.ASSERTION_TYPE,
            "client_assertion": jwt.encode(header, made, self.key, algorithms=[self.algorithm]),
        }


@pytest.fixture
async def backend(place: Place) -> Backend:
    return await register(place, ECKey.generate_key("P-384", auto_kid=True), "ES384")


async def register(place: Place, key: ECKey | RSAKey, algorithm: str, client_id: str = "backend") -> Backend:
    async with place.house.database.writing.acquire() as connection:
        organization = await connection.fetchval("select organization from held_role limit 1")
        await clients.add(
            connection,
            client_id=client_id,
            kind="backend",
            name="Tensiomètres",
            scope=VITALS,
            jwks={"keys": [key.as_dict(private=False)]},
            algorithm=algorithm,
            organization=organization,
            role_code="nurse",
            purpose=1,
        )
    return Backend(key, algorithm)


async def answers(house: House, token: str, path: str, query: str = "") -> int:
    """The status of a FHIR request with this token."""
    try:
        caller = await house.authenticator.caller(f"Bearer {token}")
    except Unauthorized as error:
        return error.status
    return (await house.engine.handle(caller, Request("GET", path, query))).status


async def test_a_backend_gets_a_short_token_within_its_registration(place: Place, backend: Backend) -> None:
    async with place.browser() as software:
        answer = await software.post("/oauth/token", data=backend.form("system/*.cruds"))

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    content = answer.json()
    assert content.keys() == {"access_token", "token_type", "expires_in", "scope"}  # no refresh token
    assert content["token_type"] == "Bearer"
    assert content["expires_in"] <= 300
    assert content["scope"] == VITALS
    assert await answers(place.house, content["access_token"], "Observation") == 200
    assert await answers(place.house, content["access_token"], "Patient") == 403


async def test_a_token_of_a_suspended_client_is_worth_nothing_at_once(place: Place, backend: Backend) -> None:
    async with place.browser() as software:
        token = (await software.post("/oauth/token", data=backend.form())).json()["access_token"]
        assert await answers(place.house, token, f"Patient/{place.patient}") == 403
        assert await answers(place.house, token, "Observation") == 200
        async with place.house.database.writing.acquire() as connection:
            await clients.suspend(connection, "backend")

        assert await answers(place.house, token, "Observation") == 401  # though this worker knows the token
        assert (await software.post("/oauth/token", data=backend.form())).json()["error"] == "invalid_client"


async def test_one_text_whatever_is_wrong_with_the_client(place: Place, backend: Backend) -> None:
    used = backend.form()
    unknown = Backend(backend.key, backend.algorithm).form(iss="nobody", sub="nobody")
    async with place.browser() as software:
        await software.post("/oauth/token", data=used)
        refused = [
            await software.post("/oauth/token", data=form)
            for form in (
                used,
                unknown,
                backend.form(aud=FHIR),
                backend.form(exp=int(time.time()) + 3600),
                backend.form() | {"client_assertion": "rubbish"},
                backend.form() | {"client_id": "someone"},
                {"grant_type": "client_credentials", "client_id": "backend", "scope": VITALS},
                {"grant_type": "client_credentials", "client_id": "nobody", "scope": VITALS},
                {"grant_type": "client_credentials", "scope": VITALS},
                {"grant_type": "client_credentials", "client_id": "backend", "client_secret": "x", "scope": VITALS},
            )
        ]

    assert {answer.status_code for answer in refused} == {401}
    assert len({answer.text for answer in refused}) == 1
    assert refused[0].json()["error"] == "invalid_client"


WRONG: list[tuple[dict[str, str], str]] = [
    ({"grant_type": "password"}, "unsupported_grant_type"),
    ({"grant_type": ""}, "invalid_request"),
    ({"grant_type": "authorization_code", "code": "x", "redirect_uri": REDIRECT}, "unauthorized_client"),
    ({"grant_type": "refresh_token", "refresh_token": "x"}, "unauthorized_client"),
    ({"scope": "system/Patient.rs"}, "invalid_scope"),
    ({"scope": "system/Patient.xyz"}, "invalid_scope"),
    ({"client_assertion_type": "urn:other"}, "invalid_request"),
]


async def test_wrong_requests_get_the_standards_errors(place: Place, backend: Backend) -> None:
    async with place.browser() as software:
        for changes, error in WRONG:
            answer = await software.post("/oauth/token", data=backend.form() | changes)

            assert (answer.status_code, answer.json()["error"]) == (400, error), changes


async def test_an_rs384_backend_is_served_as_well(place: Place) -> None:
    backend = await register(place, RSAKey.generate_key(2048, auto_kid=True), "RS384")

    async with place.browser() as software:
        assert (await software.post("/oauth/token", data=backend.form())).status_code == 200


async def test_malformed_bodies_get_an_error_and_not_a_crash(place: Place) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    async with place.browser() as software:
        for content, headers in (
            (b'{"grant_type": "client_credentials"}', {"content-type": "application/json"}),
            (b"grant_type=a&grant_type=b", form),
            (b"\xff\xfe", form),
            (b"a" * 70_000, form),
            (b"grant_type", form),
            (b"", form),
            (b"&".join(b"a%d=1" % number for number in range(200)), form),
            (b"grant_type=%00", form),
            (b"grant_type=%ff", form),
        ):
            answer = await software.post("/oauth/token", content=content, headers=headers)

            assert answer.status_code in (400, 401), content[:20]
            assert answer.json()["error"] in ("invalid_request", "invalid_client")
        assert (await software.get("/oauth/token")).status_code == 405


async def test_a_person_gets_what_they_agreed_to(place: Place) -> None:
    async with place.signed_in() as browser:
        code = query_of(await agree(browser))["code"]
        answer = await redeem(browser, code)

    assert answer.status_code == 200, answer.text
    content = answer.json()
    assert content["scope"] == "fhirUser openid user/Observation.rs user/Patient.rs"
    assert "refresh_token" not in content
    assert "patient" not in content
    assert await answers(place.house, content["access_token"], f"Patient/{place.patient}") == 200
    assert await answers(place.house, content["access_token"], f"Patient/{place.other_patient}") == 404
    assert await answers(place.house, content["access_token"], "Condition") == 403


async def test_the_id_token_says_who_to_whom_and_nothing_more(place: Place) -> None:
    async with place.signed_in() as browser:
        content = (await redeem(browser, query_of(await agree(browser))["code"])).json()
        keys = KeySet.import_key_set((await browser.get("/oauth/jwks")).json())

    token = jwt.decode(content["id_token"], keys, algorithms=["RS256"])

    claims = token.claims
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (URL, "app", "nonce-1")
    assert claims["fhirUser"].startswith(f"{FHIR}/Practitioner/")
    assert claims.keys() == {"iss", "sub", "aud", "iat", "exp", "auth_time", "nonce", "fhirUser"}


async def test_a_code_works_once_and_its_second_use_ends_the_first(place: Place) -> None:
    async with place.signed_in() as browser:
        code = query_of(await agree(browser))["code"]
        token = (await redeem(browser, code)).json()["access_token"]

        again = await redeem(browser, code)

        assert again.json()["error"] == "invalid_grant"
        with pytest.raises(Unauthorized):
            await place.house.authenticator.caller(f"Bearer {token}")


async def test_a_code_with_anything_wrong_is_one_error(place: Place) -> None:
    async with place.signed_in() as browser:
        for changes in ({"code_verifier": "w" * 43}, {"redirect_uri": "fr.example.app:/cb"}, {"code": "made-up"}):
            code = query_of(await agree(browser))["code"]

            answer = await redeem(browser, **{"code": code, **changes})

            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant"), changes


async def test_a_public_client_refreshes_by_its_token_alone(place: Place) -> None:
    """RFC 6749 §6: the request holds the token; software of SMART Health IT sends no more."""
    async with place.signed_in() as browser:
        code = query_of(await agree(browser, scope="offline_access user/Patient.rs"))["code"]
        first = (await redeem(browser, code)).json()

        form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        again = await browser.post("/oauth/token", data=form)
        never = await browser.post("/oauth/token", data=form | {"refresh_token": "never issued"})

    assert again.status_code == 200
    assert again.json()["refresh_token"] != first["refresh_token"]
    assert (never.status_code, never.json()["error"]) == (401, "invalid_client")


async def test_refreshing_works_until_a_token_comes_twice(place: Place) -> None:
    async def refresh(software: httpx.AsyncClient, token: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": "app"}
        return await software.post("/oauth/token", data=form)

    async with place.signed_in() as browser:
        answer = await agree(browser, scope="offline_access user/Patient.rs")
        first = (await redeem(browser, query_of(answer)["code"])).json()
        second = (await refresh(browser, first["refresh_token"])).json()
        assert await answers(place.house, second["access_token"], f"Patient/{place.patient}") == 200

        assert (await refresh(browser, first["refresh_token"])).json()["error"] == "invalid_grant"
        assert (await refresh(browser, second["refresh_token"])).json()["error"] == "invalid_grant"
        assert await answers(place.house, second["access_token"], f"Patient/{place.patient}") == 401


async def test_revoking_ends_what_the_token_opened(place: Place) -> None:
    async with place.signed_in() as browser:
        code = query_of(await agree(browser))["code"]
        token = (await redeem(browser, code)).json()["access_token"]
        assert await answers(place.house, token, f"Patient/{place.patient}") == 200

        revoked = await browser.post("/oauth/revoke", data={"token": token, "client_id": "app"})
        unknown = await browser.post("/oauth/revoke", data={"token": "unknown", "client_id": "app"})

        assert (revoked.status_code, revoked.text) == (unknown.status_code, unknown.text) == (200, "{}")
        assert await answers(place.house, token, f"Patient/{place.patient}") == 401


async def test_signing_out_everywhere_takes_the_software_along(place: Place) -> None:
    async with place.signed_in() as browser:
        code = query_of(await agree(browser, scope="offline_access user/Patient.rs"))["code"]
        content = (await redeem(browser, code)).json()
        page = await browser.get("/mes-connexions")
        assert "Cabinet+" in page.text
        csrf = page.text.partition('name="csrf" value="')[2].partition('"')[0]

        await browser.post("/mes-connexions", data={"csrf": csrf})

        assert await answers(place.house, content["access_token"], f"Patient/{place.patient}") == 401
        form = {"grant_type": "refresh_token", "refresh_token": content["refresh_token"], "client_id": "app"}
        assert (await browser.post("/oauth/token", data=form)).json()["error"] == "invalid_grant"


async def test_tokens_are_given_and_refused_on_record(place: Place) -> None:
    async with place.signed_in() as browser:
        await redeem(browser, query_of(await agree(browser))["code"])

    nurse = await place.house.database.reading.fetchval(
        "select fhir_res from account where username = 'nurse' and fhir_kind = $1", kind_of("Practitioner")
    )
    events = await place.house.database.reading.fetch("select event from journal_entry where person = $1", nurse)
    assert [row["event"] for row in events].count(22) == 2  # the consent, and the token


async def test_the_access_token_names_no_right(place: Place) -> None:
    async with place.signed_in() as browser:
        content = (await redeem(browser, query_of(await agree(browser))["code"])).json()

    claims = claims_of(content["access_token"])

    assert claims["aud"] == FHIR
    assert not {"scope", "role", "fhirUser", "patient", "name"} & claims.keys()
    assert VERIFIER not in content["access_token"]


@pytest.mark.parametrize(
    ("changes", "proof"),
    [({"code_verifier": ""}, ""), ({"redirect_uri": ""}, ""), ({}, "garbage")],
    ids=["no verifier", "no redirect_uri", "a bad proof"],
)
async def test_a_code_is_burnt_by_whatever_its_client_does_wrong_with_it(
    shared: Place, changes: dict[str, str], proof: str
) -> None:
    async with shared.signed_in() as browser:
        code = query_of(await agree(browser))["code"]
        form = {"grant_type": "authorization_code", "client_id": "app", "code": code, "redirect_uri": REDIRECT}
        form = {name: one for name, one in {**form, "code_verifier": VERIFIER, **changes}.items() if one}
        headers = {"dpop": proof} if proof else {}
        assert (await browser.post("/oauth/token", data=form, headers=headers)).status_code == 400

        answer = await redeem(browser, code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_no_other_client_burns_a_code_by_asking_badly(shared: Place) -> None:
    async with shared.house.database.writing.acquire() as connection:
        await clients.add(
            connection, client_id="burner", kind="app", name="Burner", scope="user/Patient.rs", redirect_uris=[REDIRECT]
        )
    async with shared.signed_in() as browser:
        code = query_of(await agree(browser))["code"]
        form = {"grant_type": "authorization_code", "client_id": "burner", "code": code, "redirect_uri": REDIRECT}
        assert (await browser.post("/oauth/token", data=form)).status_code == 400
        assert (await redeem(browser, code)).status_code == 200


async def test_a_code_on_its_way_ends_with_the_suspension_of_its_client(place: Place) -> None:
    async with place.signed_in() as browser:
        code = query_of(await agree(browser))["code"]
        async with place.house.database.writing.acquire() as connection:
            await clients.suspend(connection, "app")
            await clients.suspend(connection, "app", active=True)
        assert (await redeem(browser, code)).status_code == 400


@pytest.mark.parametrize("scheme", ["Basic", "Bearer"])
async def test_who_tries_a_header_is_told_so_in_one(shared: Place, scheme: str) -> None:
    """RFC 6749 §5.2."""
    async with shared.browser() as browser:
        form = {"grant_type": "client_credentials", "client_id": "app"}
        for given in (f"{scheme} YXBwOng=", scheme):
            answer = await browser.post("/oauth/token", data=form, headers={"authorization": given})
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
            assert answer.headers["www-authenticate"].startswith(f"{scheme} realm=")
        odd = await browser.post("/oauth/token", data=form, headers={"authorization": '"x\\" y'})
        assert odd.headers["www-authenticate"].startswith("Basic realm=")
        without = await browser.post("/oauth/token", data={**form, "client_secret": "x"})
        assert "www-authenticate" not in without.headers


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE"])
@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/par", "/oauth/revoke", "/oauth/introspect"])
async def test_another_method_is_answered_with_those_that_are_there(shared: Place, method: str, path: str) -> None:
    async with shared.browser() as browser:
        answer = await browser.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST, OPTIONS"
    assert answer.json()["error"] == "invalid_request"
