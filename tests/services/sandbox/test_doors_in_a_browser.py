"""The front page in a real Chromium: accessible, quiet, of this origin, and every door leads somewhere."""
# ruff: noqa: F811  # the fixtures below come from another folder's conftest, and tests name them as parameters

import pytest
from playwright.async_api import Browser

from ..pages.conftest import check_page, chromium, started_chromium  # noqa: F401  # fixtures
from .conftest import Running

pytestmark = pytest.mark.browser


async def test_the_front_page_and_its_sheets_hold_what_every_page_must(
    sandbox: Running,
    chromium: Browser,
) -> None:
    heard: list[str] = []
    page = await (await chromium.new_context(locale="fr-FR", base_url=sandbox.known["issuer"])).new_page()
    page.on("console", lambda message: heard.append(message.text) if message.type in ("error", "warning") else None)

    await page.goto("/")
    assert page.url.endswith("/territoire")
    await check_page(page)
    await page.get_by_role("link", name="La visite guidée").click()
    await page.locator("summary").first.click()
    await check_page(page)
    await page.go_back()
    await page.get_by_role("link", name="Dix minutes avec Sylvie Le Dantec").click()
    await check_page(page)
    await page.get_by_role("button", name="Entrer : Sylvie Le Dantec").click()
    await page.wait_for_url("**/aujourdhui")
    assert await page.get_by_text("Sylvie Le Dantec").first.is_visible()
    await page.get_by_role("link", name="Toutes les portes").click()
    await check_page(page)
    assert await page.get_by_text("Vous êtes entré sous le nom de").is_visible()
    assert heard == []


async def test_no_door_leads_to_an_error(sandbox: Running, chromium: Browser) -> None:
    page = await (await chromium.new_context(locale="fr-FR", base_url=sandbox.known["issuer"])).new_page()
    await page.goto("/territoire")
    names = [
        (await button.get_attribute("aria-label") or "")
        for button in await page.get_by_role("button", name="Entrer : ").all()
    ]
    landed = {}
    for name in names:
        await page.goto("/territoire")
        async with page.expect_navigation():
            await page.get_by_role("button", name=name, exact=True).click()
        landed[name] = (await page.locator("h1").inner_text()).strip()

    assert len(names) == 30
    refused = {"Une erreur de notre côté", "Rien ici", "Cela ne vous est pas ouvert", "La demande n’est pas complète"}
    assert not refused & set(landed.values()), landed


async def test_the_keyboard_moves_a_narrow_menu_along_until_each_place_shows_whole(
    sandbox: Running, chromium: Browser
) -> None:
    context = await chromium.new_context(viewport={"width": 360, "height": 640}, base_url=sandbox.known["issuer"])
    page = await context.new_page()
    await page.goto("/territoire/gp")
    await page.get_by_role("button", name="Entrer : ").click()
    await page.get_by_role("link", name="Jeannine Robic").click()
    places = page.locator(".liaison-navigation a")
    await places.first.focus()
    seen = []
    for _ in range(1, await places.count()):
        await page.keyboard.press("Tab")
        seen.append(
            await page.evaluate("(({left, right}) => [left, right])(document.activeElement.getBoundingClientRect())")
        )

    assert len(seen) > 10
    assert [place for place in seen if place[0] < 0 or place[1] > 360] == []
