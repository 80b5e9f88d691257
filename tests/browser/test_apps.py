"""An app of another vendor, driven by hand: opened on a record, opened by itself, refused a line, and sent away."""

import pytest
from playwright.async_api import Page

from ..services.pages.conftest import check_page
from .conftest import Desks, heading, press, told

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

EXAMPLE = "Courbes (application d’exemple)"


async def allow(page: Page) -> None:
    """Presses « Autoriser » and waits until the app has drawn what it may read."""
    await press(page, page.get_by_role("button", name="Autoriser"))
    await page.locator("#record").wait_for(state="visible")


async def test_the_doctor_opens_an_app_on_a_record_and_refuses_it_a_line(desks: Desks) -> None:
    page = await desks.sign_in("gp")
    await page.goto(f"/dossiers/{desks.patient('bpco_04')}")
    await press(page, page.get_by_role("button", name=EXAMPLE))
    await page.wait_for_url("**/oauth/authorize?**")
    assert await heading(page) == f"Autoriser {EXAMPLE} ?"
    words = await told(page)
    assert "Jeannine Robic (née LE FLOCH)" in words
    assert "même quand vous n’êtes pas là" in words
    await check_page(page)

    await page.get_by_label("Mesures et résultats").uncheck()
    await allow(page)

    assert await page.locator("#name").inner_text() == "JEANNINE LE FLOCH"
    assert "Aucune mesure n’est ouverte" in await told(page)
    await check_page(page)


async def test_a_patient_opens_an_app_by_itself_and_takes_its_access_back(desks: Desks) -> None:
    page = await desks.sign_in("patient_a")
    await page.goto("/exemple")
    await check_page(page)
    await page.get_by_role("button", name="Ouvrir un dossier").tap()
    await page.wait_for_url("**/oauth/authorize?**")
    await allow(page)
    await page.locator("#measures li").first.wait_for()

    await page.goto("/mes-applications")
    await check_page(page)
    assert EXAMPLE in await told(page)
    await press(page, page.get_by_role("button", name="Retirer l’accès"))
    assert "Aucun logiciel ne travaille en votre nom." in await told(page)
    await page.goto("/exemple")

    await page.get_by_text("L’accès a été retiré. Plus rien ne peut être lu.").wait_for()


async def test_a_doctor_chooses_among_their_patients_by_name_and_may_refuse(desks: Desks) -> None:
    page = await desks.sign_in("gp")
    await page.goto("/exemple")
    await page.get_by_role("button", name="Ouvrir un dossier").tap()
    await page.wait_for_url("**/oauth/authorize?**")
    assert await heading(page) == f"Pour quelle personne ouvrir {EXAMPLE} ?"
    await check_page(page)
    await page.get_by_label("Une partie du nom").fill("robic")
    await press(page, page.get_by_role("button", name="Chercher"))
    assert await page.get_by_role("radio").count() == 1
    await page.get_by_role("radio").check()
    await press(page, page.get_by_role("button", name="Continuer"))
    assert "Jeannine Robic (née LE FLOCH)" in await told(page)

    await press(page, page.get_by_role("button", name="Refuser"))

    await page.get_by_text("L’accès a été refusé. Rien n’a été lu.").wait_for()
