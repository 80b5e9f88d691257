"""The telephone platform: a call is opened from what is said of the person, shows what it may, and closes at its end."""

from typing import Any

import pytest
from playwright.async_api import Page

from ..services.pages.conftest import check_page
from .conftest import Desks, heading, press, told

pytestmark = pytest.mark.browser


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


async def test_the_sheet_gives_the_identity_to_try(desks: Desks) -> None:
    page = await desks.sign_in("call_handler")
    await page.goto("/territoire/call_handler")
    await check_page(page)

    assert identity(desks, "bpco_04")["name"][0]["family"] in await told(page)
