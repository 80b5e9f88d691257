"""Doublons proposés and Identité, on a small phone: a double is found, compared, merged and taken apart; then a hold."""

import re
from typing import Any

import pytest

from ..services.pages.conftest import check_page
from .conftest import Desks, press, told

BOTH = re.compile("Rivalain et Alain Rivalain", re.IGNORECASE)
pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def double_of(desks: Desks, key: str) -> str:
    """Somebody enters the person anew, with another year of birth. Its id."""
    known: dict[str, Any] = next(one for one in desks.territory.known["patients"] if one["key"] == key)["identity"]
    year, rest = known["birthDate"].split("-", 1)
    tree = {name: value for name, value in known.items() if name != "identifier"} | {
        "birthDate": f"{int(year) + 1}-{rest}"
    }
    made = desks.territory.post(desks.territory.token("gp"), "Patient", tree)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def test_a_double_is_compared_merged_and_taken_apart(desks: Desks) -> None:
    one, other = desks.patient("bpco_01"), double_of(desks, "bpco_01")
    page = await desks.sign_in("gp")
    await page.goto("/dossiers")
    await press(page, page.get_by_role("link", name="Doublons proposés"))
    await check_page(page)
    await press(page, page.get_by_role("link", name=BOTH))

    await check_page(page)
    row = page.get_by_role("row").filter(has_text="Date de naissance")
    assert "différent" in await row.inner_text()
    assert re.search("Le (premier|second) dossier reste : il a l’INS", await told(page))
    await press(page, page.get_by_role("button", name="C’est la même personne : fusionner"))

    assert page.url.endswith(f"/dossiers/{one}/identite")
    await press(page, page.get_by_role("link", name="Un autre dossier de cette personne est fusionné avec celui-ci"))
    await check_page(page)
    assert page.url.endswith(f"/dossiers/{other}/identite")
    assert "Dossier remplacé par un autre" in await told(page)
    await press(page, page.get_by_role("button", name="Annuler la fusion"))

    assert "Dossier remplacé par un autre" not in await told(page)
    await press(page, page.get_by_role("link", name="Doublons proposés"))
    await press(page, page.get_by_role("link", name=BOTH))
    await press(page, page.get_by_role("button", name="Ce sont deux personnes"))
    assert "Déjà comparés : deux personnes" in await told(page)


async def test_an_identity_is_checked_by_keyboard_alone(desks: Desks) -> None:
    someone = double_of(desks, "bpco_02")
    page = await desks.sign_in("gp")
    await page.goto(f"/dossiers/{someone}/identite")
    await page.get_by_label("Validée : pièce d'identité vue").focus()
    await page.keyboard.press("Space")
    await page.get_by_role("button", name="Enregistrer").focus()
    async with page.expect_navigation():
        await page.keyboard.press("Enter")
    assert "Identité validée" in await told(page)


async def test_the_officer_holds_a_record_from_its_journal(desks: Desks) -> None:
    held = desks.patient("bpco_05")
    page = await desks.sign_in("dpo")
    await page.goto(f"/journal/dossiers/{held}")
    await press(page, page.get_by_role("link", name="Bloquer ce dossier"))
    assert await page.get_by_label("Numéro du dossier").input_value() == f"Patient/{held}"
    await page.get_by_label("Une enquête").check()
    await page.get_by_label("Motif, ou référence de la décision").last.fill("Réquisition 7")
    await press(page, page.get_by_role("button", name="Bloquer", exact=True))
    await check_page(page)
    assert "Réquisition 7" in await told(page)
    await page.get_by_text("Lever ce blocage").click()
    await page.get_by_label("Motif, ou référence de la décision").first.fill("Affaire close")
    await press(page, page.get_by_role("button", name="Lever le blocage"))
    assert "Réquisition 7" not in await told(page)
