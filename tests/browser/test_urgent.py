"""Accès d'urgence, walked on a small phone: refused in neutral words, opened, bounded, ended, and on the review list."""

from typing import Any

import pytest
from playwright.async_api import Page

from ..services.pages.conftest import check_page
from .conftest import Desks, heading, press, told

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]
REASON = "Trouvé inconscient chez lui, ne peut répondre"
NEUTRAL = "Aucun accès ne peut être ouvert sous cette identité"


def identity(desks: Desks, key: str) -> dict[str, Any]:
    return next(dict(one["identity"]) for one in desks.territory.known["patients"] if one["key"] == key)


async def state(page: Page, stated: dict[str, Any], birth: str = "") -> None:
    """The four traits and the reason, sent."""
    await page.get_by_label("Date de naissance").fill(birth or stated["birthDate"])
    await page.get_by_label("Nom de naissance").fill(stated["name"][0]["family"])
    await page.get_by_label("Premier prénom").fill(stated["name"][0]["given"][0])
    await page.get_by_label("Femme" if stated["gender"] == "female" else "Homme").check()
    await page.get_by_label("Motif").fill(REASON)
    await press(page, page.get_by_role("button", name="Ouvrir l'accès"))


async def refused(page: Page) -> str:
    """The page's words without what was typed."""
    assert NEUTRAL in await page.get_by_role("alert").inner_text()
    return await told(page)


async def test_an_emergency_opens_one_record_until_it_is_ended(desks: Desks) -> None:
    page = await desks.sign_in("on_call_doctor")
    assert "Aucun dossier ne vous est ouvert" in await told(page)
    await press(page, page.get_by_role("main").get_by_role("link", name="Accès d'urgence"))
    assert await heading(page) == "Accès d'urgence"
    assert "Vous agissez comme Médecin de garde" in await told(page)
    await check_page(page)

    await state(page, identity(desks, "masked"), birth="1931-01-01")
    unknown = await refused(page)
    await check_page(page)
    await page.goto("/urgence")
    await state(page, identity(desks, "emergency_objection"))
    assert await refused(page) == unknown

    await page.goto("/urgence")
    ins = identity(desks, "masked")["identifier"][0]["value"]
    await page.get_by_label("Matricule INS").fill(ins)
    await page.get_by_label("Motif").fill(REASON)
    await press(page, page.get_by_role("button", name="Ouvrir l'accès"))

    assert await heading(page) == "Hervé Marchand"
    assert ins not in page.url
    assert "Accès d'urgence jusqu'à" in await told(page)
    await check_page(page)
    words = await told(page)
    assert words.index("Traitement") < words.index("Depuis votre dernier passage")
    place, patient = page.url, desks.patient("masked")
    letters = desks.resources("gp", f"DocumentReference?patient={patient}")
    assert any("Rennes" in str(one) for one in letters)  # what is masked, its author sees
    for path in ("", "/mesures", "/plan"):
        await page.goto(f"{place}{path}")
        words = await told(page)
        assert "Accès d'urgence jusqu'à" in words
        assert "Rennes" not in words
        assert "son fils" not in words
        await check_page(page)
    await page.goto(f"/dossiers/{patient}")
    assert await heading(page) == "Rien ici"
    other = await desks.sign_in("gp_outside")
    await other.goto(place)
    assert await heading(other) == "Rien ici"

    await page.goto("/urgence")
    await press(page, page.get_by_role("link", name="Hervé Marchand"))
    await press(page, page.get_by_role("button", name="Terminer l'accès"))
    assert "L'accès est terminé" in await told(page)
    assert "Hervé Marchand" not in await told(page)
    await page.goto(place)
    assert await heading(page) == "Rien ici"

    auditor = await desks.sign_in("auditor")
    await auditor.goto("/journal/urgences")
    await press(auditor, auditor.get_by_role("link", name=f"dossier {patient[:6]}"))
    assert REASON in await told(auditor)
    doctor = await desks.sign_in("gp")
    await doctor.goto(f"/dossiers/{patient}")
    assert "a ouvert un accès d'urgence" in await told(doctor)


async def test_a_role_without_emergency_access_has_no_such_page(desks: Desks) -> None:
    page = await desks.sign_in("pharmacist")
    assert "Accès d'urgence" not in await page.locator("body").inner_text()
    await page.goto("/urgence")
    assert await heading(page) == "Rien ici"
