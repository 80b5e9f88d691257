"""A doctor without any FHIR software: who waits, « J'ai vu », the line that goes back, a measure."""

import pytest

from ..services.pages.conftest import check_page
from .conftest import Desks, heading, press, told

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_j_ai_vu_and_its_line_come_back_to_the_aide(desks: Desks) -> None:
    page = await desks.sign_in("gp")
    assert await heading(page) == "Mes patients"
    lines = await page.get_by_role("main").get_by_role("listitem").all_inner_texts()
    waiting = ["alerte" in line for line in lines]
    assert waiting == sorted(waiting, reverse=True)
    assert any(waiting)

    await press(page, page.get_by_role("link", name="Jeannine Robic"))
    alerts = page.get_by_role("region", name="Alertes")
    assert "Crachats" in await alerts.inner_text()
    assert "Pénicilline" in await page.get_by_role("region", name="À savoir").inner_text()
    await page.get_by_label("Consigne pour l'aide à domicile").fill("Je passe à 15 h, la laisser assise.")
    await press(page, page.get_by_role("button", name="J'ai vu"))
    assert "Vu par Dr Anne-Laure Guillemot : Je passe à 15 h" in await alerts.inner_text()

    aide = await desks.sign_in("aide")
    answered = await aide.get_by_role("region", name="On vous répond").inner_text()
    assert "Jeannine R." in answered
    assert "Je passe à 15 h, la laisser assise." in answered


async def test_a_home_visit_is_one_line_of_what_is_new(desks: Desks) -> None:
    page = await desks.sign_in("gp")
    await page.goto(f"/dossiers/{desks.patient('bpco_04')}")

    news = await page.get_by_role("region", name="Depuis votre dernier passage").inner_text()
    assert "Le souffle : Plus court que d'habitude." in news
    assert "Le reste comme d'habitude." in news
    assert news.count("S'est arrêtée deux fois") == 1


async def test_where_one_is_stands_in_sight_in_the_menu_of_a_telephone(desks: Desks) -> None:
    page = await desks.sign_in("gp")
    record = f"/dossiers/{desks.patient('bpco_04')}"
    for part in ("", "/plan", "/equipe", "/accords", "/acces"):
        await page.goto(record + part)
        here = await page.locator("nav [aria-current]").bounding_box()
        assert here is not None
        assert here["x"] >= 0, part
        assert here["x"] + here["width"] <= 360, part


async def test_a_measure_out_of_bounds_is_asked_again_and_a_good_one_is_there_first(desks: Desks) -> None:
    page = await desks.sign_in("gp")
    await page.goto(f"/dossiers/{desks.patient('patient_43')}/mesures")
    await page.get_by_text("Ajouter une mesure").tap()
    await page.get_by_label("Quelle mesure ?").select_option(label="Pression artérielle (mmHg)")
    await page.get_by_label("Valeur", exact=True).fill("76/128")
    await press(page, page.get_by_role("button", name="Enregistrer la mesure"))
    assert await page.get_by_role("alert").is_visible()
    assert await page.get_by_label("Valeur", exact=True).input_value() == "76/128"

    await page.get_by_label("Valeur", exact=True).fill("131/77")
    await press(page, page.get_by_role("button", name="Enregistrer la mesure"))

    first = page.get_by_role("main").get_by_role("listitem").first
    assert "Pression artérielle : 131/77 mmHg" in await first.inner_text()


async def test_who_may_not_write_a_measure_is_not_offered_the_form(desks: Desks) -> None:
    page = await desks.sign_in("patient_b")
    await page.goto(f"/dossiers/{desks.patient('patient_b')}/mesures")

    assert "Ajouter une mesure" not in await told(page)


async def test_a_secretary_records_an_opposition_and_an_information(desks: Desks) -> None:
    page, patient = await desks.sign_in("secretary"), desks.patient("homonym_1")
    assert "homonym_1" in desks.territory.patients("nurse")
    await page.goto(f"/dossiers/{patient}")
    assert await page.get_by_role("heading", name="Prochains passages et rendez-vous").is_visible()
    plan = await (await page.request.get(f"/dossiers/{patient}/plan")).text()
    assert ("Aucun plan en cours" in plan, "/ppcs" in plan) == (False, False), (
        "what is not open is not said to be absent"
    )
    await press(page, page.get_by_role("link", name="Accords et oppositions"))
    await press(page, page.get_by_role("button", name="Enregistrer"))
    assert "Dites ce que la personne a dit" in await page.get_by_role("alert").inner_text()
    await check_page(page)
    await page.get_by_label("À l'oral").check()
    await press(page, page.get_by_role("button", name="Enregistrer"))
    assert "Information donnée" in await told(page)
    await press(page, page.get_by_role("button", name="La personne s'oppose"))
    await check_page(page)
    await page.get_by_label("À ce qu'une personne voie").check()
    await page.get_by_label("Si c'est à une personne").select_option(label="Maëlle Tanguy, Infirmière")
    await page.get_by_label("À l'oral").check()
    await press(page, page.get_by_role("button", name="Voir ce qui s'arrête"))
    assert "Cette personne n'ouvre plus le dossier" in await told(page)
    assert "homonym_1" in desks.territory.patients("nurse")
    await check_page(page)
    await press(page, page.get_by_role("button", name="Enregistrer l'opposition"))

    assert "en vigueur, à confirmer" in await told(page)
    assert "homonym_1" not in desks.territory.patients("nurse")


async def test_a_person_finds_what_they_agreed_to(desks: Desks) -> None:
    page = await desks.sign_in("patient_b")
    await press(page, page.get_by_role("link", name="Sandrine Benali"))
    await press(page, page.get_by_role("link", name="Accords et oppositions"))

    words = await told(page)
    assert "Accord pour un partage : Romain Le Gall (kinésithérapeute)" in words
    await check_page(page)


async def test_the_manager_of_home_help_reaches_the_records(desks: Desks) -> None:
    page = await desks.sign_in("home_service_manager")
    await press(page, page.get_by_role("link", name="Mes patients"))
    await press(page, page.get_by_role("link", name="Odette Maho"))

    assert "Maho" in await heading(page)
