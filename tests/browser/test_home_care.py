"""The aide: from the tour to the record, in few touches; what was filed is found by the doctor's own software."""

from datetime import UTC, datetime

import pytest
from playwright.async_api import Page

from liaison.services.pages.reading.written import text_of

from .conftest import Desks, heading, press, told

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LEVEL = "https://liaison.example/fhir/CodeSystem/alert-level"


async def counted(desks: Desks, page: Page) -> None:
    """Counts the touches that reach the page, over its whole journey."""
    desks.altered.append(page)
    await page.context.add_init_script(
        "addEventListener('click', (e) => { if (e.isTrusted && e.detail)"
        " sessionStorage.touches = Number(sessionStorage.touches || 0) + 1 }, true)"
    )
    await page.reload()


async def touches(page: Page) -> int:
    return int(await page.evaluate("Number(sessionStorage.touches || 0)"))


async def test_a_visit_with_nothing_to_report_takes_four_touches(desks: Desks) -> None:
    page, patient, before = await desks.sign_in("aide"), desks.patient("bpco_03"), datetime.now(UTC)
    assert await heading(page) == "Aujourd'hui"
    await counted(desks, page)

    await press(page, page.get_by_role("link", name="Visite de Marcel C."))
    assert "s'essouffle dans l'escalier" in await page.get_by_role("region", name="À savoir").inner_text()
    assert await page.locator("input:checked").count() == 0
    await page.get_by_role("button", name="Rien à signaler").tap()
    assert await page.get_by_role("checkbox", checked=True).count() == 0  # it never ticks a task
    await page.get_by_role("button", name="Tout fait").tap()
    await press(page, page.get_by_role("button", name="Enregistrer la visite"))

    assert await touches(page) == 4
    assert "Tout est envoyé" in await page.get_by_role("status").inner_text()
    card = page.get_by_role("listitem").filter(has_text="Marcel C.")
    assert "Envoyée" in await card.inner_text()
    since = before.strftime("%Y-%m-%dT%H:%M:%SZ")
    [form] = desks.resources("gp", f"QuestionnaireResponse?patient={patient}&_lastUpdated=ge{since}")
    found = desks.resources("gp", f"Observation?derived-from=QuestionnaireResponse/{form['id']}&patient={patient}")
    assert {one["code"]["text"] for one in found} >= {"Repas", "Souffle", "Chute"}
    assert desks.resources("gp", f"Task?patient={patient}&code={LEVEL}|&_lastUpdated=ge{since}") == []


async def test_a_full_visit_with_an_alert_takes_twelve_touches_and_reaches_the_doctor(desks: Desks) -> None:
    page, patient, before = await desks.sign_in("aide"), desks.patient("heart"), datetime.now(UTC)
    await counted(desks, page)

    await press(page, page.get_by_role("link", name="Visite d’Eugène L."))
    await page.get_by_label("Présente").tap()
    await page.get_by_role("button", name="Tout fait").tap()
    answers = {
        "Comment va la personne ?": "Moins bien",
        "Le repas": "La moitié",
        "Boire": "Peu",
        "Chute depuis la dernière visite ?": "Non",
        "Le souffle": "Plus court que d'habitude",
    }
    for question, answer in answers.items():
        await page.get_by_role("group", name=question).get_by_label(answer, exact=True).tap()
    await page.get_by_label("Un mot pour l'équipe").tap()
    await page.keyboard.type("Chaussures trop serrées ce matin.")
    await page.get_by_role("link", name="Alerte").tap()
    assert await page.get_by_role("link", name="Appeler le 15").is_visible()
    await page.get_by_label("Quelque chose m'inquiète").tap()
    await press(page, page.get_by_role("button", name="Enregistrer la visite"))

    assert await touches(page) <= 12
    assert "L'alerte est adressée à" in await page.get_by_role("status").inner_text()
    since = before.strftime("%Y-%m-%dT%H:%M:%SZ")
    [task] = desks.resources("gp", f"Task?patient={patient}&code={LEVEL}|ORANGE&_lastUpdated=ge{since}")
    assert task["status"] == "requested"
    assert "Quelque chose m'inquiète" in task["description"]
    [note] = desks.resources("gp", f"DocumentReference?patient={patient}&_lastUpdated=ge{since}")
    assert text_of(note) == "Chaussures trop serrées ce matin."

    doctor = await desks.sign_in("gp")
    await doctor.goto(f"/dossiers/{patient}")
    await doctor.get_by_label("Consigne pour l'aide à domicile").first.fill("Jambes surélevées, je passe à midi.")
    await press(doctor, doctor.get_by_role("button", name="J'ai vu").first)
    await page.reload()
    assert "L'alerte est vue : Dr Anne-Laure Guillemot" in await page.get_by_role("status").inner_text()
    assert "je passe à midi" in await told(page)


async def test_an_alert_that_was_seen_without_a_word_is_told_whenever_the_day_is_opened(desks: Desks) -> None:
    page, patient = await desks.sign_in("aide2"), desks.patient("patient_29")
    await page.goto(f"/visite/{patient}")
    await page.get_by_label("Présente").check()
    await page.get_by_label("Moins bien", exact=True).check()
    await press(page, page.get_by_role("button", name="Enregistrer la visite"))
    assert "Alerte vue." not in await told(page)

    doctor = await desks.sign_in("gp")
    await doctor.goto(f"/dossiers/{patient}")
    await press(doctor, doctor.get_by_role("button", name="J'ai vu").first)
    await page.goto("/aujourdhui")

    assert "Alerte vue." in await told(page)
    assert "Dr Anne-Laure Guillemot" in await told(page)


async def test_what_is_missing_is_named_and_what_was_typed_is_kept(desks: Desks) -> None:
    page = await desks.sign_in("aide2")
    await press(page, page.get_by_role("link", name="Visite d’Annick L."))
    await page.get_by_label("Un mot pour l'équipe").fill("Tout va bien.")
    await press(page, page.get_by_role("button", name="Enregistrer la visite"))

    assert "La personne est-elle là ?" in await page.get_by_role("alert").inner_text()
    assert await page.get_by_label("Un mot pour l'équipe").input_value() == "Tout va bien."


async def test_rien_a_signaler_is_taken_back_by_a_second_touch_and_spares_what_was_said(desks: Desks) -> None:
    page = await desks.sign_in("aide2")
    await press(page, page.get_by_role("link", name="Visite d’Annick L."))
    breath = page.get_by_role("group", name="Le souffle")
    await breath.get_by_label("Plus court que d'habitude").tap()
    button = page.get_by_role("button", name="Rien à signaler")

    await button.tap()
    assert await breath.get_by_label("Plus court que d'habitude").is_checked()
    assert await page.get_by_role("group", name="Le repas").get_by_label("Tout mangé").is_checked()
    await button.tap()
    assert await page.get_by_role("radio", checked=True).count() == 1


async def test_a_closed_door_asks_nothing_of_someone_who_is_not_there(desks: Desks) -> None:
    page = await desks.sign_in("aide2")
    await press(page, page.get_by_role("link", name="Visite d’Annick L."))
    await page.get_by_label("Porte close").tap()

    assert not await page.get_by_role("group", name="Le repas").is_visible()
    assert await page.get_by_label("Un mot pour l'équipe").is_visible()


async def test_a_visit_can_be_told_by_keyboard_alone(desks: Desks) -> None:
    page = await desks.sign_in("aide2")
    await page.get_by_role("link", name="Visite d’Annick L.").focus()
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    for name in ("Rien à signaler", "Tout fait"):
        await page.get_by_role("button", name=name).focus()
        await page.keyboard.press("Space")
    await page.get_by_role("button", name="Enregistrer la visite").focus()
    async with page.expect_navigation():
        await page.keyboard.press("Enter")

    assert "Tout est envoyé" in await told(page)


async def test_going_back_to_a_visit_that_was_sent_files_no_second_one_unasked(desks: Desks) -> None:
    page, patient = await desks.sign_in("aide2"), desks.patient("guarded")
    query, before = f"Encounter?patient={patient}&class=HH&_count=100", datetime.now(UTC)
    since = f"{query}&_lastUpdated=ge{before.strftime('%Y-%m-%dT%H:%M:%SZ')}"
    save = page.get_by_role("button", name="Enregistrer la visite")
    card = page.get_by_role("listitem").filter(has=page.locator(f'a[href*="/visite/{patient}"]'))
    await press(page, card.get_by_role("link"))
    for name in ("Rien à signaler", "Tout fait"):
        await page.get_by_role("button", name=name).tap()
    await press(page, save)
    await page.go_back()
    if not await page.get_by_label("Présente").is_checked():
        for name in ("Rien à signaler", "Tout fait"):
            await page.get_by_role("button", name=name).tap()
    await press(page, save)

    assert "déjà enregistrée pour ce rendez-vous" in await page.get_by_role("alert").inner_text()
    assert await page.get_by_label("Présente").is_checked()
    assert len(desks.resources("gp", since)) == 1

    await press(page, save)
    assert "Tout est envoyé" in await told(page)
    assert len(desks.resources("gp", since)) == 2


async def test_going_back_to_a_form_that_the_browser_kept_corrects_the_visit(desks: Desks) -> None:
    page, patient = await desks.sign_in("aide2"), desks.patient("bpco_06")
    await page.goto(f"/visite/{patient}")
    number = await page.locator("input[name=visit]").input_value()
    await page.get_by_role("button", name="Rien à signaler").tap()
    await page.get_by_label("Un mot pour l'équipe").fill("Tout va bien.")
    await press(page, page.get_by_role("button", name="Enregistrer la visite"))
    await page.goto(f"/visite/{patient}")
    # As the back-forward cache gives it back, which this Chromium may have or not: the number is the first one's.
    await page.locator("input[name=visit]").evaluate("(field, number) => { field.value = number }", number)
    await page.get_by_role("button", name="Rien à signaler").tap()
    await page.get_by_role("group", name="Le souffle").get_by_label("Essoufflement au repos").tap()
    await page.get_by_label("Un mot pour l'équipe").fill("Elle cherche son air.")
    await press(page, page.get_by_role("button", name="Enregistrer la visite"))

    said = await page.get_by_role("status").inner_text()
    assert "Tout est envoyé" not in said
    assert "Corrigé et envoyé" in said
    assert "L'alerte est adressée à" in said
    assert "Elle cherche son air." in said
    doctor = await desks.sign_in("gp")
    await doctor.goto(f"/dossiers/{patient}")
    record = await told(doctor)
    assert "« Tout va bien. »" not in record
    assert "« Elle cherche son air. »" in record


async def test_what_can_no_longer_be_corrected_is_shown_beside_what_was_typed_and_sent_as_a_word(desks: Desks) -> None:
    page, patient = await desks.sign_in("aide2"), desks.patient("bpco_06")
    await page.goto(f"/visite/{patient}")
    number = await page.locator("input[name=visit]").input_value()
    await page.get_by_role("button", name="Rien à signaler").tap()
    await page.get_by_role("link", name="Alerte").tap()
    await page.get_by_label("Quelque chose m'inquiète").tap()
    await press(page, page.get_by_role("button", name="Enregistrer la visite"))
    [task] = desks.resources("gp", f"Task?identifier=https://liaison.example/fhir/id/visit|{number}%23alert")
    doctor = await desks.sign_in("gp")
    await doctor.goto(f"/dossiers/{patient}")
    await press(doctor, doctor.locator(f'form[action$="/alertes/{task["id"]}"]').get_by_role("button", name="J'ai vu"))

    await page.goto(f"/visite/{patient}")
    await page.locator("input[name=visit]").evaluate("(field, number) => { field.value = number }", number)
    await page.get_by_role("button", name="Rien à signaler").tap()
    await page.get_by_label("Un mot pour l'équipe").fill("Sa fille arrive.")
    await press(page, page.get_by_role("button", name="Enregistrer la visite"))

    assert "L'alerte a déjà été vue." in await page.get_by_role("alert").inner_text()
    assert "Vous avez écrit : Sa fille arrive." in await told(page)
    assert await page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    await press(page, page.get_by_role("button", name="Envoyer comme un nouveau mot"))
    assert "Votre mot est envoyé" in await page.get_by_role("status").inner_text()
    await doctor.reload()
    assert "Sa fille arrive." in await told(doctor)
