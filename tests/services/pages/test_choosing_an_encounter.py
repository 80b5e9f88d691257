"""The page on which an encounter is chosen, in a real Chromium."""

from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser, expect

from liaison.auth.oauth2 import clients

from ..oauth.conftest import asking
from ..oauth.test_encounter import Ward
from .conftest import Site, check_page

pytestmark = pytest.mark.browser


async def test_the_encounter_is_chosen_and_shown_again_on_the_consent_page(site: Site, chromium: Browser) -> None:
    place = site.place
    landed = f"{site.url}/static/icon.svg"  # an address that answers, in place of the software's own
    async with place.house.database.writing.acquire() as connection:
        await clients.add(
            connection, client_id="local", kind="app", name="Cabinet+", scope="launch/encounter user/*.rs",
            redirect_uris=[landed],
        )  # fmt: skip
    ward = Ward(place)
    asked = asking(client_id="local", redirect_uri=landed, aud=place.house.settings.fhir_base,
                   scope="launch/encounter user/*.rs")  # fmt: skip
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
    assert site.heard == ["Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)"]
