"""Several aides take turns on one phone: two touches lead from one to the next, and her code lets her in."""

import pytest
from playwright.async_api import Browser, Page, expect

from liaison.auth.people import accounts, phones

from ..oauth.conftest import Place, declared_as
from .conftest import Site, check_page

PINS = {"both": "271828", "nurse": "314159"}


async def enrolled(place: Place) -> str:
    """A phone of the service where those two work with a code. The secret that it keeps."""
    writing = place.house.database.writing
    await writing.execute("delete from held_role where role_code = 'coordinator'")
    organization = await writing.fetchval("select organization from held_role limit 1")
    async with writing.acquire() as connection:
        for username, pin in PINS.items():
            await accounts.set_secret(connection, username, pin=pin)
        secret = await phones.enrol(connection, organization, "Téléphone 1")
    await declared_as(place, None)
    return secret


async def test_names_are_shown_on_a_phone_of_the_service_and_nowhere_else(place: Place) -> None:
    secret = await enrolled(place)
    async with place.browser() as phone, place.browser() as elsewhere:
        phone.cookies.set("__Host-liaison-phone", secret)
        assert "Qui êtes-vous" not in (await elsewhere.get("/connexion")).text
        shown = (await phone.get("/connexion")).text
        for name in PINS:
            assert f'value="{name}"' in shown
        assert "admin" not in shown  # who has no code is not of this phone
        await place.house.database.writing.execute("update phone set active = false")
        assert "Qui êtes-vous" not in (await phone.get("/connexion")).text


@pytest.mark.browser
async def test_the_next_person_is_two_touches_away(site: Site, chromium: Browser) -> None:
    context = await chromium.new_context(
        locale="fr-FR", viewport={"width": 360, "height": 640}, has_touch=True, base_url=site.url
    )
    await context.add_cookies([{"name": "liaison-phone", "value": await enrolled(site.place), "url": site.url}])
    page = await context.new_page()
    touches: list[str] = []

    async def touch(page: Page, name: str) -> None:
        touches.append(name)
        await page.get_by_role("button", name=name, exact=True).tap()

    await page.goto("/connexion")
    await check_page(page)
    await touch(page, "nurse")
    await expect(page.get_by_label("Votre code à 6 chiffres")).to_be_focused()
    await check_page(page)
    await page.keyboard.type(PINS["nurse"])
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Camille NURSE")).to_be_visible()

    touches.clear()
    await touch(page, "Changer de personne")
    await touch(page, "both")
    await expect(page.get_by_label("Votre code à 6 chiffres")).to_be_focused()
    await page.keyboard.type(PINS["both"])
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Camille BOTH")).to_be_visible()

    assert touches == ["Changer de personne", "both"]
