"""The pages on which an encounter or an account is chosen for software, in a real Chromium."""

from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser, expect

from liaison.auth.oauth2 import clients

from ..oauth.conftest import PASSWORD, asking
from ..oauth.test_encounter import Ward
from .conftest import Site, check_page

pytestmark = pytest.mark.browser


async def software(site: Site) -> dict[str, str]:
    """Registers an app whose address is one of ours, and gives a request of it."""
    landed = f"{site.url}/static/icon.svg"
    async with site.place.house.database.writing.acquire() as connection:
        await clients.add(
            connection, client_id="local", kind="app", name="Cabinet+", scope="launch/encounter user/*.rs",
            redirect_uris=[landed],
        )  # fmt: skip
    return asking(client_id="local", redirect_uri=landed, aud=site.place.house.settings.fhir_base,
                  scope="launch/encounter user/*.rs")  # fmt: skip


async def test_the_encounter_is_chosen_and_shown_again_on_the_consent_page(site: Site, chromium: Browser) -> None:
    place, asked = site.place, await software(site)
    ward = Ward(place)
    page = await site.page(chromium, 360, 640)
    await site.sign_in(page, "nurse")
    await page.goto(f"/oauth/authorize?{urlencode(asked)}")
    await expect(page.get_by_text("Aucune consultation, visite ou séjour de cette personne")).to_be_visible()
    await check_page(page)
    for day in range(1, 13):
        await ward.write(place.patient, f"2026-05-{day:02}", f"motif {day:02}")

    await page.goto(f"/oauth/authorize?{urlencode(asked)}")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Pour quelle consultation, visite ou séjour")
    await check_page(page)
    await page.get_by_role("button", name="Continuer").click()
    await expect(page.get_by_role("alert")).to_contain_text("Choisissez une ligne")
    await check_page(page)
    await page.get_by_label("motif 11").check()
    await page.get_by_role("button", name="Continuer").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Autoriser Cabinet+ ?")
    await expect(page.get_by_text("motif 11")).to_be_visible()
    await check_page(page)
    await page.get_by_role("button", name="Autoriser").click()

    await page.wait_for_url("**/static/icon.svg?code=*")
    # An image that stands alone has no icon of its own: Chromium looks for one, sooner or later.
    heard = [text for text in site.heard if "status of 404" not in text]
    assert heard == ["Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)"]


async def test_an_account_is_chosen_and_proven_once_more(site: Site, chromium: Browser) -> None:
    asked = await software(site) | {"prompt": "select_account login", "scope": "user/*.rs"}
    page = await site.page(chromium, 360, 640)
    await site.sign_in(page, "nurse")
    await page.goto(f"/oauth/authorize?{urlencode(asked)}")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Avec quel compte ouvrir Cabinet+ ?")
    await expect(page.get_by_role("main")).to_contain_text("Camille NURSE")
    await check_page(page)
    await page.get_by_role("button", name="Continuer avec ce compte").click()
    await expect(page.get_by_text("Le logiciel que vous ouvrez demande")).to_be_visible()
    await check_page(page)
    await page.get_by_label("Votre mot de passe, à nouveau").fill(PASSWORD)
    await page.get_by_role("button", name="Continuer").click()

    await expect(page.get_by_role("heading", level=1)).to_have_text("Autoriser Cabinet+ ?")
    assert site.heard == []
