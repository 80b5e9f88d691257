"""What software asks beside tokens: pushed requests, introspection, userinfo, signing out, and the origins that may."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from tests.auth.oauth2.proofs import Prover

from liaison.auth.oauth2 import clients, rfc7523, rfc9126
from liaison.fhir.errors import Unauthorized
from liaison.fhir.store.contract import Request

from .conftest import APP_SCOPE, FHIR, REDIRECT, URL, Place, agree, asking, field, query_of, redeem

KEY = ECKey.generate_key("P-384", auto_kid=True)
ORIGIN = "https://app.example"
BYE = "https://app.example/bye"


async def register(place: Place, client_id: str, **more: Any) -> None:
    """Software with a key; it may be there from a test before."""
    async with place.house.database.writing.acquire() as connection:
        if await clients.find(connection, client_id) is None:
            asked = {"kind": "app", "name": client_id, "scope": APP_SCOPE, "redirect_uris": [REDIRECT], **more}
            keys = {"keys": [KEY.as_dict(private=False)]}
            await clients.add(connection, client_id=client_id, jwks=keys, algorithm="ES384", **asked)


def proof(client_id: str, audience: str = f"{URL}/oauth/token") -> dict[str, str]:
    now = int(time.time())
    claims = {"iss": client_id, "sub": client_id, "aud": audience, "exp": now + 60, "jti": str(time.time_ns())}
    header = {"alg": "ES384", "kid": KEY.kid, "typ": "JWT"}
    signed = jwt.encode(header, claims, KEY, algorithms=["ES384"])
    return {"client_assertion_type": rfc7523.ASSERTION_TYPE, "client_assertion": signed}


async def push(software: httpx.AsyncClient, **changes: str | None) -> httpx.Response:
    return await software.post("/oauth/par", data=asking(**changes))


async def test_a_pushed_request_is_what_the_person_is_shown(shared: Place) -> None:
    async with shared.signed_in() as browser:
        pushed = await push(browser, scope="user/Patient.rs")
        assert (pushed.status_code, pushed.json()["expires_in"]) == (201, 600)
        reference = {"client_id": "app", "request_uri": pushed.json()["request_uri"]}

        # What comes beside the reference counts for nothing (RFC 9101 §5).
        page = await browser.get("/oauth/authorize", params={**reference, "scope": "user/*.cruds", "state": "other"})
        # Each from a page of its own: one form sent again would be led where it led the first time.
        pages = [page, *[await browser.get("/oauth/authorize", params=reference) for _ in range(19)]]
        forms = [{name: field(one.text, name) for name in ("csrf", "request")} for one in pages]
        sent = {"decision": "accept", "scope": ["0.rs", "0.cud"]}
        answers = await asyncio.gather(*(browser.post("/oauth/consent", data={**form, **sent}) for form in forms))
        codes = [query_of(answer) for answer in answers if "location" in answer.headers and "code" in query_of(answer)]
        again = await browser.get("/oauth/authorize", params=reference)
        content = (await redeem(browser, codes[0]["code"])).json()

    assert len(codes) == 1  # of twenty, one
    assert codes[0]["state"] == "state 1"
    assert content["scope"] == "user/Patient.rs"
    assert again.status_code == 400
    rows = await shared.house.database.reading.fetch("select p::text from pushed_request p")
    assert not any("Patient.rs" in row[0] or reference["request_uri"].encode().hex() in row[0] for row in rows)


async def test_a_reference_is_one_clients_and_ends(shared: Place) -> None:
    await register(shared, "keyed")
    async with shared.signed_in() as browser:
        uri = (await push(browser)).json()["request_uri"]
        texts = []
        for asked in (
            {"client_id": "keyed", "request_uri": uri},
            {"client_id": "app", "request_uri": rfc9126.PREFIX + "made-up"},
            {"client_id": "nobody", "request_uri": uri},
        ):
            answer = await browser.get("/oauth/authorize", params=asked)
            assert (answer.status_code, "location" in answer.headers) == (400, False)
            texts.append(answer.text.partition("Pour son éditeur")[2].partition("</p>")[0])
        await shared.house.database.writing.execute("update pushed_request set expires_at = now()")
        answer = await browser.get("/oauth/authorize", params={"client_id": "app", "request_uri": uri})
        texts.append(answer.text.partition("Pour son éditeur")[2].partition("</p>")[0])

    assert len(set(texts)) == 1


PUSHED_WRONG: list[tuple[dict[str, str | None], int, str]] = [
    ({"redirect_uri": "https://evil.example/"}, 400, "invalid_request"),
    ({"code_challenge_method": "plain"}, 400, "invalid_request"),
    ({"request_uri": "urn:x"}, 400, "invalid_request"),
    ({"request": "a.b.c"}, 400, "request_not_supported"),
    ({"aud": "https://other.example/fhir"}, 400, "invalid_target"),
    ({"scope": "user/Patient.sr"}, 400, "invalid_scope"),
    ({"client_id": "nobody"}, 401, "invalid_client"),
    ({"client_id": "keyed"}, 401, "invalid_client"),  # it has a key, and proves nothing
]


async def test_a_pushed_request_is_checked_when_it_is_pushed(shared: Place) -> None:
    await register(shared, "keyed")
    async with shared.browser() as software:
        for changes, status, error in PUSHED_WRONG:
            answer = await push(software, **changes)
            assert (answer.status_code, answer.json()["error"]) == (status, error), changes
        for audience in (URL, f"{URL}/oauth/par", f"{URL}/oauth/token"):
            proven = await software.post("/oauth/par", data={**asking(client_id="keyed"), **proof("keyed", audience)})
            assert proven.status_code == 201, proven.text
        # At the token endpoint the other names are not ours.
        form = {"grant_type": "refresh_token", "refresh_token": "x", **proof("keyed", URL)}
        assert (await software.post("/oauth/token", data=form)).json()["error"] == "invalid_client"
        stranger = {**asking(client_id="app"), **proof("keyed")}
        assert (await software.post("/oauth/par", data=stranger)).json()["error"] == "invalid_client"


async def introspected(software: httpx.AsyncClient, asker: str, token: str) -> dict[str, Any]:
    answer = await software.post("/oauth/introspect", data={"token": token, **proof(asker)})
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


async def test_introspection_tells_what_the_token_response_told(shared: Place) -> None:
    await register(shared, "watcher", introspects=True)
    async with shared.signed_in() as browser:
        answer = await agree(browser, scope="openid fhirUser offline_access launch/patient user/Patient.rs")
        content = (await redeem(browser, query_of(answer)["code"])).json()
        access = await introspected(browser, "watcher", content["access_token"])
        refresh = await introspected(browser, "watcher", content["refresh_token"])

        assert (access["active"], access["client_id"], access["token_type"]) == (True, "app", "Bearer")
        assert access["scope"] == content["scope"]
        assert (access["patient"], access["need_patient_banner"]) == (shared.patient, True)
        assert (access["iss"], access["aud"]) == (URL, FHIR)
        assert access["fhirUser"].startswith(f"{FHIR}/Practitioner/")
        assert 0 < access["exp"] - access["iat"] <= 301
        assert refresh["active"]
        assert refresh["exp"] > access["exp"]
        await browser.post("/oauth/revoke", data={"token": content["refresh_token"], "client_id": "app"})
        for token in (content["access_token"], content["refresh_token"]):
            assert await introspected(browser, "watcher", token) == {"active": False}


async def test_introspection_tells_what_a_token_is_bound_to(shared: Place) -> None:
    await register(shared, "binding-watcher", introspects=True)
    prover = Prover()
    async with shared.signed_in() as browser:
        code = query_of(await agree(browser, scope="offline_access user/Patient.rs"))["code"]
        browser.headers["dpop"] = prover.proof("POST", f"{URL}/oauth/token")
        content = (await redeem(browser, code)).json()
        browser.headers.pop("dpop")
        for token in (content["access_token"], content["refresh_token"]):
            told = await introspected(browser, "binding-watcher", token)
            assert told["cnf"] == {"jkt": prover.thumbprint}


async def test_introspection_is_nobody_elses_business(shared: Place) -> None:
    await register(shared, "watcher", introspects=True)
    await register(shared, "keyed")
    async with shared.signed_in() as browser:
        token = (await redeem(browser, query_of(await agree(browser))["code"])).json()["access_token"]
        assert await introspected(browser, "keyed", token) == {"active": False}
        assert await introspected(browser, "watcher", "made-up") == {"active": False}
        assert (await introspected(browser, "watcher", token))["active"]
        form = {"token": token}
        refused = [
            await browser.post("/oauth/introspect", data=form),
            await browser.post("/oauth/introspect", data=form | {"client_id": "app"}),  # public: proves nothing
            await browser.post("/oauth/introspect", data=form | {"client_id": "nobody"}),
            await browser.post("/oauth/introspect", data=form, headers={"authorization": "Bearer x"}),
            await browser.post("/oauth/introspect", data=form, headers={"authorization": f"Bearer {token}"}),
            await browser.post("/oauth/introspect", data=form, headers={"authorization": "Basic YXBwOng="}),
        ]
        # A keyed app's own token speaks for it, and it may ask about its own.
        code = query_of(await agree(browser, client_id="keyed"))["code"]
        own = (await redeem(browser, code, client_id="keyed", **proof("keyed"))).json()["access_token"]
        authorization = {"authorization": f"Bearer {own}"}
        mine = await browser.post("/oauth/introspect", data={"token": own}, headers=authorization)
        other = await browser.post("/oauth/introspect", data={"token": token}, headers=authorization)

    assert {(answer.status_code, answer.json()["error"]) for answer in refused} == {(401, "invalid_client")}
    challenges = [answer.headers.get("www-authenticate", "") for answer in refused]
    # RFC 7662 §2.1, RFC 6750 §3: a token that does not do is asked for as one; who shows none is not. §2.3, RFC 6749 §5.2:
    # what was tried in the header is named in the answer.
    tokens = ['Bearer realm="oauth", error="invalid_token"'] * 2
    assert challenges == ["", "", "", *tokens, 'Basic realm="oauth"']
    assert (mine.json()["active"], other.json()) == (True, {"active": False})


async def test_introspection_asks_a_bound_token_for_its_proof(shared: Place) -> None:
    await register(shared, "keyed")
    prover = Prover()
    async with shared.signed_in() as browser:
        code = query_of(await agree(browser, client_id="keyed"))["code"]
        browser.headers["dpop"] = prover.proof("POST", f"{URL}/oauth/token")
        own = (await redeem(browser, code, client_id="keyed", **proof("keyed"))).json()["access_token"]
        browser.headers.pop("dpop")
        answer = await browser.post("/oauth/introspect", data={"token": own}, headers={"authorization": f"DPoP {own}"})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('DPoP realm="oauth", error="invalid_dpop_proof"')


async def test_userinfo_says_what_the_id_token_said(shared: Place) -> None:
    async with shared.signed_in() as browser:
        whole = (await redeem(browser, query_of(await agree(browser))["code"])).json()
        code = query_of(await agree(browser, scope="user/Patient.rs"))["code"]
        nameless = (await redeem(browser, code)).json()

        async def asked(token: str, method: str = "GET") -> httpx.Response:
            return await browser.request(method, "/oauth/userinfo", headers={"authorization": f"Bearer {token}"})

        told, posted = await asked(whole["access_token"]), await asked(whole["access_token"], "POST")
        without, garbage = await asked(nameless["access_token"]), await asked("x")
        await browser.post("/oauth/revoke", data={"token": whole["access_token"], "client_id": "app"})
        after = await asked(whole["access_token"])

    said = jwt.decode(whole["id_token"], await _keys(shared), algorithms=["RS256"]).claims
    assert told.json() == posted.json() == {"sub": said["sub"], "fhirUser": said["fhirUser"]}
    assert (without.status_code, without.headers["www-authenticate"]) == (403, 'Bearer error="insufficient_scope"')
    assert (garbage.status_code, after.status_code) == (401, 401)


async def _keys(place: Place) -> KeySet:
    published: Any = await place.house.signing_keys.published()
    return KeySet.import_key_set(published)


async def test_an_app_may_ask_that_the_person_be_signed_out(shared: Place) -> None:
    async with shared.signed_in() as browser:
        content = (await redeem(browser, query_of(await agree(browser))["code"])).json()
        asked = {"id_token_hint": content["id_token"], "post_logout_redirect_uri": BYE, "state": "s 2"}
        page = await browser.get("/oauth/logout", params=asked)
        assert "C’est Cabinet+ qui le demande." in page.text
        assert (await browser.get("/mes-connexions")).status_code == 200  # a GET changes nothing
        form = {name: field(page.text, name) for name in ("csrf", "request")}
        forged = await browser.post("/oauth/logout/confirm", data={**form, "csrf": "x"})
        left = await browser.post("/oauth/logout/confirm", data=form)

        assert forged.status_code == 403
        assert (left.status_code, left.headers["location"]) == (303, f"{BYE}?{urlencode({'state': 's 2'})}")
        assert (await browser.get("/mes-connexions")).status_code == 303
        caller = await _status(shared, content["access_token"])
        assert caller == 401  # it had no offline_access
        # Nobody is signed in any more: straight on.
        again = await browser.get("/oauth/logout", params=asked)
        assert again.headers["location"].startswith(BYE)


async def _status(place: Place, token: str) -> int:
    try:
        caller = await place.house.authenticator.caller(f"Bearer {token}")
    except Unauthorized as error:
        return error.status
    return (await place.house.engine.handle(caller, Request("GET", "Patient", ""))).status


async def test_nobody_is_sent_to_an_address_that_is_not_registered_for_it(shared: Place) -> None:
    await register(shared, "keyed")
    async with shared.signed_in() as browser:
        hint = (await redeem(browser, query_of(await agree(browser))["code"])).json()["id_token"]
        code = query_of(await agree(browser, client_id="keyed"))["code"]
        foreign = (await redeem(browser, code, client_id="keyed", **proof("keyed"))).json()["id_token"]
        wrong: list[Mapping[str, str]] = [
            {"id_token_hint": hint, "post_logout_redirect_uri": f"{BYE}/"},
            {"id_token_hint": hint, "post_logout_redirect_uri": REDIRECT},
            {"id_token_hint": foreign, "post_logout_redirect_uri": BYE},
            {"id_token_hint": hint[:-4] + "AAAA", "post_logout_redirect_uri": BYE},
            {"id_token_hint": hint, "client_id": "keyed", "post_logout_redirect_uri": BYE},
            {"post_logout_redirect_uri": BYE},
            {"client_id": "app", "post_logout_redirect_uri": BYE},
        ]
        for asked in wrong:
            answer = await browser.get("/oauth/logout", params=asked)
            assert (answer.status_code, "location" in answer.headers) == (400, False), asked
        bare = await browser.get("/oauth/logout")
        assert bare.status_code == 200


PATHS = ("/oauth/token", "/oauth/par", "/oauth/revoke", "/oauth/introspect", "/oauth/userinfo")


async def test_pages_of_apps_read_every_answer_and_others_none(shared: Place) -> None:
    async with shared.browser() as page:
        for path in PATHS:
            for client_id in ("app", "nobody"):  # whether the client exists makes no difference
                refused = await page.post(path, data={"client_id": client_id}, headers={"origin": ORIGIN})
                assert refused.status_code in (400, 401), path
                assert refused.headers["access-control-allow-origin"] == ORIGIN
                assert "access-control-allow-credentials" not in refused.headers
            stranger = await page.post(path, data={"client_id": "app"}, headers={"origin": "https://evil.example"})
            assert "access-control-allow-origin" not in stranger.headers
            asked = {"origin": ORIGIN, "access-control-request-method": "POST"}
            preflight = await page.options(path, headers=asked)
            assert preflight.status_code == 204
            assert "POST" in preflight.headers["access-control-allow-methods"]
            assert "authorization" in preflight.headers["access-control-allow-headers"]
            closed = await page.options(path, headers={**asked, "origin": "null"})
            assert "access-control-allow-origin" not in closed.headers
        async with shared.signed_in() as browser:
            code = query_of(await agree(browser))["code"]
            given = await redeem(browser, code)
            assert "access-control-allow-origin" not in given.headers  # nobody's page asked


@pytest.mark.parametrize("path", ["/oauth/authorize", "/oauth/consent", "/mes-applications"])
async def test_no_page_is_open_to_another_origin(shared: Place, path: str) -> None:
    async with shared.signed_in() as browser:
        answer = await browser.get(path, headers={"origin": ORIGIN})

    assert "access-control-allow-origin" not in answer.headers
