"""« À revoir » on a small phone: what the rules found, the notice dated, two readers, and the case that they open."""

from datetime import date, timedelta

import pytest
from playwright.async_api import Page, expect

from ..services.pages.conftest import check_page
from .conftest import Desks, heading, press, told

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def found(page: Page, words: str) -> None:
    """The list, once the job has found what says these words."""
    for _ in range(30):
        await page.goto("/journal/urgences")
        if words in await told(page):
            return
        await page.wait_for_timeout(2_000)
    raise AssertionError(f"{words}: not found in {await told(page)}")


async def test_what_the_rules_found_is_reviewed_by_two_and_a_case_opened(desks: Desks) -> None:
    page = await desks.sign_in("auditor")
    await found(page, "Accès inhabituel, dossier")
    words = await told(page)
    assert "La nuit, le dossier a été ouvert, ou demandé en vain." in words
    assert "Romain Le Gall, Kinésithérapeute" in words
    assert "Beaucoup de dossiers ont été ouverts l'un après l'autre" in words
    assert "Perron" not in words
    await check_page(page)

    record = desks.patient("emergency_objection")[:6]
    await press(page, page.get_by_role("link", name=f"Accès inhabituel, dossier {record}"))
    assert "À 23:14." in await told(page)
    await check_page(page)
    await press(page, page.get_by_role("button", name="Enregistrer cette revue"))
    assert "dites pourquoi" in await page.get_by_role("alert").inner_text()
    await page.get_by_label("Non justifié").check()
    await page.get_by_label("Pourquoi").fill("Aucun lien avec cette personne")
    await press(page, page.get_by_role("button", name="Enregistrer cette revue"))
    assert "Second avis attendu" in await told(page)
    await check_page(page)

    officer = await desks.sign_in("dpo")
    await officer.goto(page.url)
    await press(officer, officer.get_by_role("link", name=f"Accès inhabituel, dossier {record}"))
    assert "Aucun lien avec cette personne" in await told(officer)
    assert "Hélène Vasseur" in await told(officer)
    await officer.get_by_label("Non justifié").check()
    await officer.get_by_label("Pourquoi").fill("Je confirme")
    await press(officer, officer.get_by_role("button", name="Enregistrer cette revue"))

    await press(officer, officer.get_by_role("link", name="Affaires", exact=True))
    await check_page(officer)
    await press(officer, officer.get_by_role("link", name="Affaire nº").first)
    assert "heures pour notifier à la CNIL" in await told(officer)
    assert "Romain Le Gall" in await told(officer)
    await check_page(officer)
    await officer.get_by_label("Demander la suspension de son accès").check()
    await officer.get_by_label("Pourquoi").fill("Le temps de l'entendre")
    await press(officer, officer.get_by_role("button", name="Enregistrer cette étape"))
    assert "Le temps de l'entendre" in await told(officer)
    async with officer.expect_download() as downloading:
        await officer.get_by_role("link", name="L'affaire en PDF").click()
    assert (await downloading.value).suggested_filename.endswith(".pdf")

    administrator = await desks.sign_in("admin")
    await administrator.goto("/administration/suspensions")
    assert "Romain Le Gall" in await told(administrator)
    assert record not in await told(administrator)
    await expect(administrator.get_by_role("button", name="Suspendre son accès Romain Le Gall")).to_be_visible()
    await check_page(administrator)

    await officer.goto("/journal/chiffres")
    await check_page(officer)


async def test_a_name_is_compared_once_the_staff_was_told(desks: Desks) -> None:
    page = await desks.sign_in("auditor")
    day = (date.today() - timedelta(days=2)).isoformat()
    await page.goto("/journal/signaux")
    await press(page, page.get_by_role("link", name="Le professionnel porte le nom de famille de la personne."))
    await check_page(page)
    await press(page, page.get_by_role("button", name="Mettre cette règle en marche"))
    assert "attend la date" in await page.get_by_role("alert").inner_text()
    await page.goto("/journal/signaux")
    await page.get_by_label("Jour de la note d'information").fill(day)
    await press(page, page.get_by_role("button", name="Enregistrer ce jour"))
    assert "Le personnel est informé depuis le" in await told(page)
    await check_page(page)

    await press(page, page.get_by_role("link", name="Le professionnel porte le nom de famille de la personne."))
    await page.get_by_label("Premier jour").fill(day)
    await press(page, page.get_by_role("button", name="Essayer", exact=True))
    assert "la règle aurait trouvé 1 accès" in await told(page)
    assert "Dr Yves Kerbrat" in await told(page)
    await check_page(page)
    await page.get_by_label("Regarder les accès à partir du").fill(day)
    await press(page, page.get_by_role("button", name="Mettre cette règle en marche"))
    assert await heading(page) == "Le professionnel porte le nom de famille de la personne."
    assert "En marche" in await told(page)

    await found(page, "Le professionnel porte le nom de famille de la personne.")
    assert f"dossier {desks.patient('abstinent')[:6]}" in await told(page)
