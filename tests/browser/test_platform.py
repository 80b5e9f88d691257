"""The telephone platform: a call is opened from what is said of the person, shows what it may, and closes at its end."""

from typing import Any

import pytest
from playwright.async_api import Page

from ..services.pages.conftest import check_page
from .conftest import Desks, heading, press, told

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def identity(desks: Desks, key: str) -> dict[str, Any]:
    return next(dict(one["identity"]) for one in desks.territory.known["patients"] if one["key"] == key)


async def fill(page: Page, stated: dict[str, Any], birth: str = "") -> None:
    await page.get_by_label("Date de naissance").fill(birth or stated["birthDate"])
    await page.get_by_label("Nom de naissance").fill(stated["name"][0]["family"])
    await page.get_by_label("Premier prénom").fill(stated["name"][0]["given"][0])
    await page.get_by_label("Femme" if stated["gender"] == "female" else "Homme").check()
    await page.get_by_label("Motif de l'appel").fill("Sa voisine entend tousser depuis ce matin")
    await press(page, page.get_by_role("button", name="Ouvrir l'appel"))


async def test_a_call_opens_shows_and_closes(desks: Desks) -> None:
    page, stated = await desks.sign_in("call_handler"), identity(desks, "bpco_04")
    assert await heading(page) == "Appels"
    assert "Aucun appel en cours" in await told(page)

    await fill(page, stated, birth="1931-01-01")
    assert "Aucun appel ne peut être ouvert sous cette identité" in await page.get_by_role("alert").inner_text()
    await check_page(page)
    await fill(page, stated)

    assert "Robic" in await heading(page)
    await check_page(page)
    words = await told(page)
    assert "Le souffle est plus court" in words or "plus court que d'habitude" in words
    assert "Dr Laure Jaffré" in words
    assert "Maëlle Tanguy" in words
    assert await page.get_by_role("link", name="Maëlle Tanguy").get_attribute("href")
    for hidden in ("salbutamol", "VEMS", "BPCO"):
        assert hidden.lower() not in words.lower()
    assert desks.territory.patients("call_handler") == {"bpco_04"}
    place = page.url
    await page.goto("/appels")
    assert "Sa voisine entend tousser" in await told(page)
    await page.goto(place)
    await page.get_by_label("Ce qui est décidé").fill("Le Dr Jaffré rappelle à 18 h")
    await press(page, page.get_by_role("button", name="Terminer l'appel"))

    assert "Aucun appel en cours" in await told(page)
    assert desks.territory.patients("call_handler") == set()
    await page.goto(place)
    assert await heading(page) == "Rien ici"
    doctor = await desks.sign_in("gp")
    await doctor.goto(f"/dossiers/{desks.patient('bpco_04')}")
    assert "Le Dr Jaffré rappelle à 18 h" in await told(doctor)


async def test_the_doctor_of_the_call_takes_it_reads_and_ends_it(desks: Desks) -> None:
    handler, stated = await desks.sign_in("call_handler"), identity(desks, "bpco_04")
    await fill(handler, stated)
    page = await desks.sign_in("regulating_doctor")
    assert await heading(page) == "Appels"
    words = await told(page)
    assert "Reçus sous votre responsabilité" in words
    assert "Stéphanie Rio" in words
    assert "Robic" not in words
    await check_page(page)

    await press(page, page.get_by_role("button", name="Prendre cet appel"))
    assert "Robic" in await heading(page)
    await check_page(page)
    call = page.url
    await press(page, page.get_by_role("main").get_by_role("button", name="Lire son dossier"))
    words = await told(page)
    assert "Appel en cours, dossier ouvert jusqu'à" in words
    assert "salbutamol" in words.lower()
    await check_page(page)
    place = page.url
    for part in ("Mesures", "Plan"):
        await press(page, page.get_by_role("navigation").get_by_role("link", name=part))
        assert "Appel en cours" in await told(page)
    await page.goto(f"/dossiers/{desks.patient('bpco_04')}")
    assert await heading(page) == "Rien ici"
    for address in (call, place):
        await handler.goto(address)
        assert await heading(handler) == "Rien ici"

    await page.goto("/appels")
    assert "Reçus sous votre responsabilité" not in await told(page)
    await press(page, page.get_by_role("link", name="Robic"))
    await page.get_by_label("Ce qui est décidé").fill("Visite ce soir")
    await press(page, page.get_by_role("button", name="Terminer l'appel"))
    await page.goto(place)
    assert await heading(page) == "Rien ici"

    await handler.goto("/appels")
    await press(handler, handler.get_by_role("link", name="Robic"))
    await press(handler, handler.get_by_role("button", name="Terminer l'appel"))
    await page.goto("/appels")
    assert "Reçus sous votre responsabilité" not in await told(page)
    await fill(page, identity(desks, "emergency_objection"))
    assert "Aucun appel ne peut être ouvert sous cette identité" in await page.get_by_role("alert").inner_text()


async def test_the_sheet_gives_the_identity_to_try(desks: Desks) -> None:
    page = await desks.sign_in("call_handler")
    await page.goto("/territoire/call_handler")
    await check_page(page)

    assert identity(desks, "bpco_04")["name"][0]["family"] in await told(page)
