"""Out there, out here; out here, and the way to be out there."""

import time
from typing import Any

import pytest

from ...oauth.conftest import Place, agree, field, query_of, redeem
from .conftest import through
from .provider import LOGOUT_EVENT, Psc


async def alive(browser: Any) -> bool:
    return bool((await browser.get("/mes-connexions")).status_code == 200)


async def test_the_provider_ends_the_session_server_to_server(place: Place, psc: Psc) -> None:
    async with place.browser() as browser, place.browser() as provider:
        await through(browser)
        assert await alive(browser)

        told = await provider.post("/psc/deconnexion", data={"logout_token": psc.logout_token()})

        assert told.status_code == 200
        assert told.headers["cache-control"] == "no-store"
        assert not await alive(browser)


@pytest.mark.parametrize(
    "changes",
    [
        {"events": None},
        {"events": {"urn:another": {}}},
        {"nonce": "n", "events": {LOGOUT_EVENT: {}}},  # an id_token is no logout token
        {"aud": "another-service"},
        {"iss": "https://evil.example"},
        {"iat": int(time.time()) - 36000},
        {"sid": None},
        {"sid": "session-2"},
    ],
    ids=lambda changes: "-".join(changes),
)
async def test_what_is_no_notice_of_this_session_ends_nothing(place: Place, psc: Psc, changes: dict[str, Any]) -> None:
    async with place.browser() as browser:
        await through(browser)
        told = await browser.post("/psc/deconnexion", data={"logout_token": psc.logout_token(**changes)})
        assert told.status_code == (200 if changes == {"sid": "session-2"} else 400)
        assert await alive(browser)


async def test_a_notice_that_someone_else_signed_ends_nothing(place: Place, psc: Psc) -> None:
    async with place.browser() as browser:
        await through(browser)
        psc.symmetric = True
        for given in ({"logout_token": psc.logout_token()}, {"logout_token": "x"}, {}):
            assert (await browser.post("/psc/deconnexion", data=given)).status_code == 400
        assert await alive(browser)


async def test_the_providers_own_page_ends_the_session_in_its_frame_and_nobody_elses_does(
    place: Place, psc: Psc
) -> None:
    async with place.browser() as browser, place.browser() as frame:
        await through(browser)
        for wrong in ({"iss": "https://evil.example", "sid": psc.sid}, {"iss": psc.issuer, "sid": "guess"}, {}):
            await frame.get("/psc/deconnexion", params=wrong)
        assert await alive(browser)

        shown = await frame.get("/psc/deconnexion", params={"iss": psc.issuer, "sid": psc.sid})

        assert shown.headers["content-security-policy"] == f"default-src 'none'; frame-ancestors {psc.url}"
        assert not await alive(browser)


async def test_signing_out_here_offers_the_way_out_there_with_the_token_in_no_address(place: Place, psc: Psc) -> None:
    async with place.browser() as browser:
        await through(browser)
        csrf = field((await browser.get("/mes-connexions")).text, "csrf")
        out = await browser.post("/deconnexion", data={"csrf": csrf})

        assert out.status_code == 200
        assert f'action="{psc.issuer}/protocol/openid-connect/logout"' in out.text
        assert field(out.text, "id_token_hint").count(".") == 2
        assert f"form-action 'self' {psc.url}" in out.headers["content-security-policy"]
        assert not await alive(browser)


async def test_where_it_is_not_configured_there_is_nothing(place: Place) -> None:
    async with place.browser() as browser:
        page = await browser.get("/connexion")
        assert "Pro Santé Connect" not in page.text
        left = await browser.post("/psc/connexion", data={"csrf": field(page.text, "csrf")})
        assert left.status_code == 404
        assert (await browser.get("/psc/retour?code=x&state=y")).status_code == 404
        assert (await browser.get("/psc/deconnexion?sid=x")).status_code == 404
        assert (await browser.post("/psc/deconnexion")).status_code == 404


@pytest.mark.parametrize("frame", [False, True], ids=["server to server", "in a frame"])
async def test_signing_out_there_ends_what_software_was_given_in_that_session(
    place: Place, psc: Psc, frame: bool
) -> None:
    async with place.browser() as browser, place.browser() as provider:
        await through(browser)
        kept: dict[str, dict[str, str]] = {}
        for lasting in ("online_access", "offline_access"):
            answer = await agree(browser, scope=f"openid fhirUser {lasting} user/Observation.rs")
            kept[lasting] = (await redeem(provider, query_of(answer)["code"])).json()
        on_its_way = query_of(await agree(browser, scope="openid user/Observation.rs"))["code"]

        if frame:
            await provider.get("/psc/deconnexion", params={"iss": psc.issuer, "sid": psc.sid})
        else:
            await provider.post("/psc/deconnexion", data={"logout_token": psc.logout_token()})

        async def works(lasting: str) -> tuple[int, int]:
            token = {"authorization": f"Bearer {kept[lasting]['access_token']}"}
            form = {"grant_type": "refresh_token", "client_id": "app", "refresh_token": kept[lasting]["refresh_token"]}
            told = (await provider.get("/oauth/userinfo", headers=token)).status_code
            return told, (await provider.post("/oauth/token", data=form)).status_code

        assert await works("online_access") == (401, 400)
        assert await works("offline_access") == (200, 200)  # as after signing out here
        assert (await redeem(provider, on_its_way)).status_code == 400
