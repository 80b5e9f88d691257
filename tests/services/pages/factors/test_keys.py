"""Passkeys in a real Chromium, whose virtual authenticator is driven over the DevTools protocol (WebAuthn domain)."""

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route
from webauthn import verify_authentication_response
from webauthn.helpers import base64url_to_bytes, parse_client_data_json

from liaison.auth.people import accounts, invitations, passkeys
from liaison.services.installation import Kind

from ...oauth.conftest import declared_as
from ..conftest import Site, check_page

pytestmark = pytest.mark.browser

REFUSED = "n’a pas été reconnue"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
async def real(site: Site) -> Site:
    """At a name, where browsers have passkeys, and for real people."""
    house = site.place.house
    site.url = site.url.replace("127.0.0.1", "localhost")
    house.settings = house.settings.model_copy(update={"public_url": site.url})
    await declared_as(site.place, Kind.PRODUCTION)
    return site


async def device(page: Page) -> Any:
    """Gives the page's browser an authenticator; the session that drives it."""
    driven = await page.context.new_cdp_session(page)
    await driven.send("WebAuthn.enable")
    made = await driven.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return driven, made["authenticatorId"]


async def heading(page: Page) -> str:
    return (await page.locator("h1").inner_text()).strip()


async def invited(site: Site) -> str:
    """The one-time link of the nurse."""
    async with site.place.house.database.writing.acquire() as connection:
        account = await accounts.by_username(connection, "nurse")
        assert account is not None
        return f"/premier-acces/{await invitations.invite(connection, account.number)}"


async def test_from_an_invitation_to_every_day_with_a_passkey_alone(real: Site, chromium: Browser) -> None:
    page = await real.page(chromium, 360, 640)
    driven, authenticator = await device(page)
    link = await invited(real)
    await page.goto(link)
    await check_page(page)
    assert not await page.get_by_text(REFUSED).is_visible()  # nothing was tried yet
    await page.get_by_role("button", name="Créer une clé d’accès et entrer").click()
    await page.wait_for_url("**/dossiers")
    await page.goto("/mes-connexions")
    assert await page.get_by_text("Camille NURSE").is_visible()
    assert (await page.goto(link)).status == 404  # type: ignore[union-attr]  # the link is spent

    await page.goto("/ma-securite")
    await check_page(page)
    assert await page.get_by_role("button", name="Retirer").count() == 0  # the only one stays
    assert await page.get_by_label("Nom de cet appareil").is_visible()
    # Nobody has named it: its kind, the browser, and the day.
    named = await page.get_by_role("heading", level=3).all_inner_texts()
    [called] = [one.strip() for one in named]
    assert re.fullmatch(r"Clé de l’appareil \(Chrome, Linux\), \d+(er)? \S+ \d{4}", called), called
    await page.get_by_role("button", name="Se déconnecter").click()
    await page.get_by_role("button", name="Se connecter avec une clé d’accès").click()
    await page.wait_for_url("**/dossiers")
    await page.goto("/mes-connexions")
    assert await page.get_by_text("Camille NURSE").is_visible()

    # Half an hour later an emergency asks for the key again, in the same form, and what was typed stays.
    writing = real.place.house.database.writing
    await writing.execute("update browser_session set started_at = now() - interval '1 hour'")
    await page.goto("/urgence")
    await page.get_by_label("Motif").fill("Trouvée inconsciente")
    await page.get_by_role("button", name="Confirmer avec ma clé d’accès").click()
    await page.get_by_text("C’est confirmé").wait_for()
    assert not await page.get_by_role("button", name="Confirmer avec ma clé d’accès").is_visible()  # once is enough
    async with page.expect_navigation():
        await page.get_by_role("button", name="Ouvrir l'accès").click()
    assert "Prouvez une fois de plus" not in await page.content()
    assert await page.get_by_label("Motif").input_value() == "Trouvée inconsciente"
    assert await writing.fetchval("select started_at > now() - interval '5 minutes' from browser_session")
    assert real.outside == []

    # So does the page before other grave acts, and leads on.
    await writing.execute("update browser_session set started_at = now() - interval '1 hour'")
    await page.goto("/ma-securite")
    await page.get_by_role("button", name="Confirmer avec ma clé d’accès").click()
    await page.get_by_text("C’est confirmé").wait_for()
    await page.get_by_role("button", name="Continuer").click()
    await page.wait_for_url("**/ma-securite")

    # Someone else's finger, and a key that was copied: neither gets in.
    await page.get_by_role("button", name="Se déconnecter").click()
    # Once the page is there, so that nothing of the one that is left is under way.
    await page.get_by_role("button", name="Se connecter avec une clé d’accès").wait_for()
    await driven.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
    await page.get_by_role("button", name="Se connecter avec une clé d’accès").click()
    await page.get_by_text(REFUSED).wait_for()
    await driven.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": True})
    await writing.execute("update passkey set sign_count = 1000")
    async with page.expect_response(lambda one: one.url.endswith("/connexion/cle")) as answered:
        await page.get_by_role("button", name="Se connecter avec une clé d’accès").click()
    assert (await answered.value).status >= 400
    await page.get_by_text(REFUSED).wait_for()
    await writing.execute("update passkey set sign_count = 1")
    await page.get_by_role("button", name="Se connecter avec une clé d’accès").click()
    await page.wait_for_url("**/dossiers")


async def test_an_impatient_thumb_makes_one_try_and_a_refusal_leaves_the_button_to_try_again(
    real: Site, chromium: Browser
) -> None:
    page = await real.page(chromium, 360, 640)
    driven, authenticator = await device(page)
    await page.goto(await invited(real))
    await page.get_by_role("button", name="Créer une clé d’accès et entrer").click()
    await page.wait_for_url("**/dossiers")
    await page.get_by_role("button", name="Se déconnecter").click()
    button = page.get_by_role("button", name="Se connecter avec une clé d’accès")
    await button.wait_for()
    tries: list[str] = []
    page.on("request", lambda one: tries.append(one.url) if one.url.endswith("/connexion/cle/defi") else None)

    await driven.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
    await button.dblclick()
    await page.get_by_text(REFUSED).wait_for()
    assert (len(tries), await button.is_enabled()) == (1, True)

    # The second time the key is right, and the next page is long in coming: nothing else begins meanwhile.
    await driven.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": True})
    coming, there = asyncio.Event(), asyncio.Event()

    async def slow(route: Route) -> None:
        coming.set()
        await there.wait()
        await route.continue_()

    await page.route(lambda url: url.rstrip("/") == real.url, slow)
    where = await button.bounding_box()
    assert where is not None
    await button.click()
    await asyncio.wait_for(coming.wait(), 60)
    await page.mouse.click(where["x"] + 20, where["y"] + 20)
    there.set()
    await page.wait_for_url("**/dossiers")
    assert len(tries) == 2


async def test_an_answer_counts_for_its_own_challenge_address_and_account(
    real: Site, chromium: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await real.page(chromium)
    await device(page)
    await page.goto(await invited(real))
    await page.get_by_role("button", name="Créer une clé d’accès et entrer").click()
    await page.wait_for_url("**/dossiers")
    await page.get_by_role("button", name="Se déconnecter").click()
    sent: list[str] = []
    page.on("request", lambda one: sent.append(one.post_data or "") if one.url.endswith("/connexion/cle") else None)
    await page.get_by_role("button", name="Se connecter avec une clé d’accès").click()
    await page.wait_for_url("**/dossiers")

    # The same answer once more, to a challenge that is new: replayed by a page that has the right token of the form.
    await page.get_by_role("button", name="Se déconnecter").click()
    replay = """async (body) => {
      const headers = {"content-type": "application/json",
                       "x-csrf-token": document.querySelector("[data-csrf]").dataset.csrf};
      await fetch("/connexion/cle/defi", {method: "POST", headers, body: "{}"});
      return (await fetch("/connexion/cle", {method: "POST", headers, body})).status;
    }"""
    assert sent
    assert await page.evaluate(replay, sent[0]) == 403
    assert await page.evaluate(replay, "{}") == 403
    assert await page.evaluate(replay, "[]") == 403

    # Planted: a service that takes its challenge for granted lets the replayed answer in.

    def careless(**given: Any) -> Any:
        said = parse_client_data_json(base64url_to_bytes(given["credential"]["response"]["clientDataJSON"]))
        return verify_authentication_response(
            **{**given, "expected_challenge": said.challenge, "credential_current_sign_count": 0}
        )

    monkeypatch.setattr(passkeys, "verify_authentication_response", careless)
    assert await page.evaluate(replay, sent[0]) == 200


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://liaison.kervanec.fr", "liaison.kervanec.fr"),
        ("https://liaison.kervanec.fr:8443", "liaison.kervanec.fr"),
        ("http://localhost:8080", "localhost"),
        ("http://127.0.0.1:8080", ""),
        ("https://192.168.1.20:8443", ""),
        ("https://[::1]:8443", ""),
        ("http://liaison.kervanec.fr", ""),
    ],
)
def test_a_site_has_passkeys_where_browsers_offer_them(url: str, host: str) -> None:
    found = passkeys.site_of(url)

    assert (found.host if found else "") == host
    assert found is None or found.origin == url
