"""A form with a question of every type, on a telephone of 360 by 640 without a network: shown, doubted, kept, sent, filed."""

import re

import pytest

from ..protocols.every_type import every_type
from ..services.delivery.publishing import MODEL, add_line, brought, published
from ..services.pages.conftest import check_page
from .handset import PIN, Handset, enrolled

pytestmark = [pytest.mark.browser, pytest.mark.proof, pytest.mark.asyncio(loop_scope="session")]


async def test_a_question_of_every_type_is_answered_without_a_network(handset: Handset) -> None:
    territory = handset.territory
    patient = next(str(one["id"]) for one in territory.known["patients"] if one["key"] == "heart")
    with enrolled(territory) as desk:
        assert published(desk, brought(desk, every_type(MODEL))).status_code == 303
        add_line(desk, territory, patient, "courte")
    await handset.begin("aide")
    await handset.ready()
    await handset.line.cut()
    await handset.page.reload()
    await handset.unlock(re.sub(r"^.* ", "", "Sylvie"), PIN)
    page = handset.page
    await page.get_by_role("heading", name=re.compile("^23 h 20")).wait_for()
    await page.locator("li", has=page.get_by_role("heading", name=re.compile("^23 h 20"))).get_by_role("button").tap()

    assert await page.locator("main :checked").count() == 0  # nothing beforehand
    await page.get_by_role("group", name="La personne est-elle là ?").get_by_label("Présente").tap()
    await page.get_by_text("Autre chose à dire").tap()
    await page.get_by_role("group", name="Combien de fois ?").get_by_label("Deux fois").tap()
    await page.get_by_role("group", name="Quand ?").get_by_label("Une fois").tap()
    likes = page.get_by_label("Ce qu'elle aime manger")
    assert not await likes.is_visible()
    await page.get_by_role("group", name="A-t-elle de l'appétit ?").get_by_label("Oui").tap()
    await likes.fill("La purée")
    await page.get_by_label("Verres d'eau").fill("44")
    await page.get_by_label("Urines").fill("1,5")
    await page.get_by_label("Température").fill("37.2")
    await page.get_by_label("Dernière douche").fill("2019-12-31")
    await page.get_by_label("Son dessert").fill("Une pomme")
    await check_page(page)
    await handset.press("Enregistrer la visite")
    said = await page.get_by_role("alert").first.inner_text()
    assert "Verres d'eau : Ce nombre n'est pas possible." in said
    assert "Dernière douche : Ce jour n'est pas possible." in said
    await check_page(page)
    await page.get_by_label("Verres d'eau").fill("4")
    await page.get_by_label("Dernière douche").fill("2026-11-28")
    await handset.press("Enregistrer la visite")
    await page.get_by_role("button", name="Annuler").wait_for()
    [visit] = await handset.waiting()

    await handset.line.open()
    await handset.deliver()
    [encounter] = handset.filed(visit)
    token = territory.token("gp")
    query = f"QuestionnaireResponse?encounter=Encounter/{encounter['id']}"
    [entry] = territory.get(token, query).json()["entry"]
    told = entry["resource"]
    assert told["questionnaire"].startswith(f"{MODEL['url']}.")
    assert [one["linkId"] for one in told["item"] if one["linkId"].startswith("x-")] == [
        *("x-choice", "x-several", "x-boolean", "x-integer", "x-group", "x-decimal", "x-date", "x-text", "x-string"),
    ]
