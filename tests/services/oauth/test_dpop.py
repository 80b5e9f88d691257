"""Tokens of people's software that are bound to its key, from the authorization request to the refresh token."""

import httpx
import pytest
from tests.auth.oauth2.proofs import Prover

from liaison.auth.oauth2.rfc6750 import Call
from liaison.fhir.errors import Unauthorized

from .conftest import BOX, FHIR, URL, Place, agree, asking, field, query_of, redeem

TOKEN = f"{URL}/oauth/token"
LASTING = "offline_access user/Patient.rs"


def proven(software: httpx.AsyncClient, prover: Prover | None) -> httpx.AsyncClient:
    software.headers.pop("dpop", None)
    if prover:
        software.headers["dpop"] = prover.proof("POST", TOKEN)
    return software


async def test_a_proof_at_the_token_endpoint_binds_what_is_given(place: Place) -> None:
    prover = Prover()
    async with place.signed_in() as browser:
        code = query_of(await agree(browser))["code"]
        content = (await redeem(proven(browser, prover), code)).json()

    assert content["token_type"] == "DPoP"
    token, url = content["access_token"], f"{FHIR}/Patient/{place.patient}"
    path = f"Patient/{place.patient}"
    caller = place.house.authenticator.caller
    assert await caller(f"DPoP {token}", Call("GET", path, prover.proof("GET", url, token)))
    with pytest.raises(Unauthorized):
        await caller(f"Bearer {token}", Call("GET", path))


async def test_a_code_bound_by_dpop_jkt_is_for_that_key(place: Place) -> None:
    prover = Prover()
    async with place.signed_in() as browser:
        for key, error in ((prover, None), (Prover(), "invalid_grant"), (None, "invalid_grant")):
            browser.headers.pop("dpop", None)
            code = query_of(await agree(browser, dpop_jkt=prover.thumbprint))["code"]
            answer = (await redeem(proven(browser, key), code)).json()
            assert answer.get("error") == error

        browser.headers.pop("dpop", None)
        malformed = await browser.get("/oauth/authorize", params={**asking(), "dpop_jkt": "short"})
        assert query_of(malformed)["error"] == "invalid_dpop_proof"


async def test_a_public_clients_refresh_token_stays_with_its_key(place: Place) -> None:
    prover = Prover()

    async def refresh(key: Prover | None, token: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": "app"}
        return await proven(browser, key).post("/oauth/token", data=form)

    async with place.signed_in() as browser:
        code = query_of(await agree(browser, scope=LASTING))["code"]
        first = (await redeem(proven(browser, prover), code)).json()["refresh_token"]

        # A thief without the key gets nothing, and cannot end the family either.
        for thief in (None, Prover()):
            assert (await refresh(thief, first)).json()["error"] == "invalid_grant"
        second = (await refresh(prover, first)).json()
        assert second["token_type"] == "DPoP"
        assert (await refresh(None, second["refresh_token"])).json()["error"] == "invalid_grant"
        assert (await refresh(prover, second["refresh_token"])).status_code == 200


async def test_a_client_registered_for_it_has_to_prove_its_key(place: Place) -> None:
    await place.house.database.writing.execute("update client set binding = 'dpop' where client_id = 'app'")
    async with place.signed_in() as browser:
        code = query_of(await agree(browser))["code"]
        refused = await redeem(browser, code)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_dpop_proof")
        # The proof is looked at before the code, so that a forgotten one does not burn it.
        assert (await redeem(proven(browser, Prover()), code)).status_code == 200


async def test_a_nonce_is_asked_for_and_taken(place: Place) -> None:
    place.house.nonces.required = True
    prover = Prover()
    async with place.signed_in() as browser:
        code = query_of(await agree(browser))["code"]
        asked = await redeem(proven(browser, prover), code)
        assert asked.json()["error"] == "use_dpop_nonce"
        browser.headers["dpop"] = prover.proof("POST", TOKEN, nonce=asked.headers["dpop-nonce"])
        assert (await redeem(browser, code)).status_code == 200


async def test_a_proof_beside_a_pushed_request_binds_the_code(place: Place) -> None:
    prover = Prover()
    async with place.signed_in() as browser:
        for key, error in ((prover, None), (Prover(), "invalid_grant")):
            browser.headers["dpop"] = prover.proof("POST", f"{URL}/oauth/par")
            pushed = await browser.post("/oauth/par", data=asking())
            assert pushed.status_code == 201, pushed.text
            browser.headers.pop("dpop")
            code = query_of(await agree_to(browser, pushed.json()["request_uri"]))["code"]
            assert (await redeem(proven(browser, key), code)).json().get("error") == error

        browser.headers["dpop"] = prover.proof("POST", f"{URL}/oauth/par")
        other = await browser.post("/oauth/par", data={**asking(), "dpop_jkt": Prover().thumbprint})
        assert other.json()["error"] == "invalid_dpop_proof"


async def agree_to(browser: httpx.AsyncClient, reference: str) -> httpx.Response:
    page = await browser.get("/oauth/authorize", params={"client_id": "app", "request_uri": reference})
    form = {name: field(page.text, name) for name in ("csrf", "request")}
    return await browser.post("/oauth/consent", data={**form, "decision": "accept", "scope": BOX.findall(page.text)})


async def test_a_bound_token_works_at_userinfo_with_a_proof_for_it(place: Place) -> None:
    prover, url = Prover(), f"{URL}/oauth/userinfo"
    async with place.signed_in() as browser:
        code = query_of(await agree(browser))["code"]
        token = (await redeem(proven(browser, prover), code)).json()["access_token"]
        headers = {"authorization": f"DPoP {token}", "dpop": prover.proof("GET", url, token)}
        assert (await browser.get("/oauth/userinfo", headers=headers)).status_code == 200
        assert (await browser.get("/oauth/userinfo", headers=headers)).status_code == 401
