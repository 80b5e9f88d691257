"""Accueillir une personne: unknown, known and mine, known and not mine."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from ..services.pages.conftest import check_page
from .conftest import Desks, heading, press, told

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

INSEE = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code"


async def ask(page: Page, birth: str, letters: str) -> None:
    await page.goto("/accueillir")
    await page.get_by_label("Date de naissance").fill(birth)
    await page.get_by_label("Les trois premières lettres du nom").fill(letters)
    await press(page, page.get_by_role("button", name="Chercher"))


def traits(patient: dict[str, Any]) -> dict[str, str]:
    name = next(one for one in patient["name"] if one["use"] == "official")
    [matricule] = [one["value"] for one in patient["identifier"] if ".1.213.1.4." in one["system"]]
    [place] = [
        inner["valueCoding"]["code"]
        for extension in patient["extension"] if extension["url"].endswith("patient-birthPlace")
        for inner in extension["valueAddress"]["extension"] if inner["url"] == INSEE
    ]  # fmt: skip
    sex = {"female": "Femme", "male": "Homme"}[patient["gender"]]
    return {
        "family": name["family"], "given": name["given"][0], "birth": patient["birthDate"], "sex": sex, "ins": matricule,
        "place": place, "letters": "".join(name["family"].split())[:3],
    }  # fmt: skip


async def fill_traits(page: Page, who: dict[str, str]) -> None:
    await page.get_by_label("Date de naissance").fill(who["birth"])
    await page.get_by_label("Nom de naissance").fill(who["family"])
    await page.get_by_label("Premier prénom").fill(who["given"])
    await page.get_by_label(who["sex"], exact=True).check()


async def test_someone_unknown_is_opened_with_what_they_were_told_and_their_team(desks: Desks) -> None:
    page = await desks.sign_in("nurse")
    await ask(page, "1951-02-03", "ZÉP")
    assert "inconnue" in await page.get_by_role("status").inner_text()
    who = {"family": "ZEPHYRIN", "given": "Rosalie", "birth": "1951-02-03", "sex": "Femme"}
    await fill_traits(page, who)
    await page.get_by_label("Provisoire").check()
    await page.get_by_label("À l'oral").check()
    await page.get_by_label("Non", exact=True).check()
    await page.get_by_role("checkbox", name="Anne-Laure Guillemot").check()
    await press(page, page.get_by_role("button", name="Ouvrir le dossier"))

    assert await heading(page) == "Rosalie ZEPHYRIN"
    assert "Identité provisoire" in await told(page)
    patient = page.url.rpartition("/")[2]
    [team] = desks.resources("gp", f"CareTeam?patient={patient}")
    assert [one["extension"][0]["valueCode"] for one in team["participant"]] == ["recognised", "same-structure"]
    [consent] = desks.resources("nurse", f"Consent?patient={patient}")
    assert consent["provision"]["type"] == "permit"
    assert "Destinataires : Dr Anne-Laure Guillemot" in consent["policyRule"]["text"]


async def test_nothing_is_opened_without_what_the_person_was_told_and_answered(desks: Desks) -> None:
    page = await desks.sign_in("gp")
    await ask(page, "1952-04-05", "ZÉP")
    await fill_traits(page, {"family": "ZEPHYRIN", "given": "Josiane", "birth": "1952-04-05", "sex": "Femme"})
    await press(page, page.get_by_role("button", name="Ouvrir le dossier"))
    await expect(page.get_by_role("alert")).to_contain_text("comment la personne a été informée")
    await page.get_by_label("À l'oral").check()
    await press(page, page.get_by_role("button", name="Ouvrir le dossier"))
    await expect(page.get_by_role("alert")).to_contain_text("Dites si la personne s'oppose")
    await page.get_by_label("Oui, elle s'oppose à tout partage").check()
    await press(page, page.get_by_role("button", name="Ouvrir le dossier"))
    await expect(page.get_by_role("status")).to_contain_text("le dossier vous est fermé aussi")
    await check_page(page)


async def test_someone_known_to_me_is_opened(desks: Desks) -> None:
    [patient] = desks.resources("nurse", f"Patient?_id={desks.patient('patient_40')}")
    who, page = traits(patient), await desks.sign_in("nurse")
    await ask(page, who["birth"], who["letters"])
    assert "Connue." in await page.get_by_role("status").inner_text()
    await fill_traits(page, who)
    await press(page, page.get_by_role("button", name="Chercher"))
    await press(page, page.get_by_role("link", name="Ouvrir son dossier"))

    assert page.url.endswith(f"/dossiers/{patient['id']}")


async def test_someone_known_and_not_mine_is_joined_by_every_trait_and_by_nothing_less(desks: Desks) -> None:
    [patient] = desks.resources("gp_outside", f"Patient?_id={desks.patient('patient_41')}")
    who, page = traits(patient), await desks.sign_in("physio")
    await ask(page, who["birth"], who["letters"])
    assert who["given"].casefold() not in (await told(page)).casefold()
    await fill_traits(page, who)
    await press(page, page.get_by_role("button", name="Chercher"))
    for place, opened in (("99999", False), (who["place"], True)):
        await page.get_by_label("Matricule INS", exact=True).fill(who["ins"])
        await page.get_by_label("Commune de naissance, code INSEE").fill(place)
        await page.get_by_label("À l'oral").check()
        await press(page, page.get_by_role("button", name="Rejoindre son équipe"))
        assert page.url.endswith(f"/dossiers/{patient['id']}") == opened
        if not opened:
            assert "Cela n'a pas abouti." in await page.get_by_role("alert").inner_text()


async def test_what_is_missing_is_said_without_asking_anyone(desks: Desks) -> None:
    page = await desks.sign_in("secretary")
    await page.goto("/accueillir")
    await page.get_by_label("Les trois premières lettres du nom").fill("LEF")
    await press(page, page.get_by_role("button", name="Chercher"))

    assert "Il faut la date de naissance" in await page.get_by_role("alert").inner_text()
