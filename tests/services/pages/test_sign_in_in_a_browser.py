"""Signing in and allowing software, in a real Chromium: by words and keyboard, accessible at every size."""

from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser, Page

from liaison.auth.oauth2 import clients

from ..oauth.conftest import PASSWORD, asking
from .conftest import Site, check_page

pytestmark = pytest.mark.browser


async def heading(page: Page) -> str:
    return (await page.locator("h1").inner_text()).strip()


async def test_every_page_of_signing_in_is_accessible_quiet_and_of_this_origin(site: Site, chromium: Browser) -> None:
    page = await site.page(chromium)
    await page.goto("/connexion")
    await check_page(page)
    await site.sign_in(page, "both", "wrong")
    await check_page(page)
    assert await page.get_by_role("alert").count() == 1
    await site.sign_in(page, "both")
    assert await heading(page) == "Dans quel rôle travaillez-vous maintenant ?"
    await check_page(page)
    await page.get_by_role("button", name="Continuer").click()
    await check_page(page)
    await page.get_by_label("Infirmier, Maison de santé de Kervanec").check()
    async with page.expect_navigation():
        await page.get_by_role("button", name="Continuer").click()
    await page.goto("/mes-connexions")
    await check_page(page)
    await page.goto("/nulle-part-ailleurs")
    await page.goto("/oauth/authorize?client_id=inconnu")
    await check_page(page)

    expected = [text for text in site.heard if "status of 4" not in text]  # the browser notes each refused page
    assert expected == []
    assert site.outside == []


async def test_one_can_sign_in_and_out_by_keyboard_alone(site: Site, chromium: Browser) -> None:
    page = await site.page(chromium)
    await page.goto("/mes-connexions")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "Aller au contenu"
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.type("nurse")
    await page.keyboard.press("Tab")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/mes-connexions")
    assert await page.get_by_text("Camille NURSE").is_visible()

    out = page.get_by_role("button", name="Se déconnecter")
    await out.focus()
    await page.keyboard.press("Enter")

    await page.wait_for_url("**/connexion")
    await page.goto("/mes-connexions")
    assert "/connexion" in page.url


async def test_focus_can_be_seen(site: Site, chromium: Browser) -> None:
    page = await site.page(chromium)
    await page.goto("/connexion")
    for _ in range(6):
        await page.keyboard.press("Tab")
        style = await page.evaluate(
            "(() => { const s = getComputedStyle(document.activeElement);"
            " return [s.outlineStyle, s.outlineWidth, s.boxShadow, s.backgroundColor] })()"
        )
        assert style[0] != "none" or style[2] != "none", await page.evaluate("document.activeElement.outerHTML")


async def test_software_is_allowed_on_a_page_that_says_what_it_gets(site: Site, chromium: Browser) -> None:
    page = await site.page(chromium)
    landed = f"{site.url}/static/icon.svg"  # an address that answers, in place of the software's own
    async with site.place.house.database.writing.acquire() as connection:
        await clients.add(
            connection,
            client_id="local",
            kind="app",
            name="Cabinet+",
            scope="openid user/*.rs",
            redirect_uris=[landed],
        )
    asked = asking(client_id="local", redirect_uri=landed, aud=site.place.house.settings.fhir_base)
    await page.goto(f"/oauth/authorize?{urlencode(asked)}")
    assert "/connexion" in page.url
    await page.get_by_label("Identifiant").fill("nurse")
    await page.get_by_label("Mot de passe, ou code").fill(PASSWORD)
    await page.get_by_role("button", name="Se connecter").click()
    assert await heading(page) == "Autoriser Cabinet+ ?"
    await check_page(page)

    await page.get_by_role("button", name="Autoriser").click()

    await page.wait_for_url("**/static/icon.svg?code=*")
    assert "state=state+1" in page.url
    # The browser looks for an icon of its own beside that of an image, and notes that there is none.
    assert [text for text in site.heard if "status of 404" not in text] == []


async def test_after_signing_out_the_back_button_shows_nothing(site: Site, chromium: Browser) -> None:
    page = await site.page(chromium)
    await site.sign_in(page, "nurse")
    await page.goto("/mes-connexions")
    async with page.expect_navigation():  # a browser that is on its way has no page to go back to
        await page.get_by_role("button", name="Se déconnecter").click()
    await page.go_back()

    assert "/connexion" in page.url
    assert not await page.get_by_text("Camille NURSE").is_visible()


async def test_scripts_cannot_read_the_session(site: Site, chromium: Browser) -> None:
    page = await site.page(chromium)
    await site.sign_in(page, "nurse")

    assert await page.evaluate("document.cookie") == ""
