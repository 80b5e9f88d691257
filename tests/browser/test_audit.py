"""Qui a vu ce dossier ? asked by the auditor with a reason, and by the person of their own record."""

import pytest

from ..services.pages.conftest import check_page
from .conftest import Desks, press, told

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_the_auditor_asks_by_traits_with_a_reason(desks: Desks) -> None:
    doctor = await desks.sign_in("gp_outside")
    await doctor.goto(f"/dossiers/{desks.patient('patient_30')}")
    [name] = list(desks.resources("gp_outside", f"Patient?_id={desks.patient('patient_30')}"))
    official = next(one for one in name["name"] if one["use"] == "official")

    page = await desks.sign_in("auditor")
    await page.get_by_label("Nom de naissance").fill(official["family"])
    await page.get_by_label("Premier prénom").fill(official["given"][0])
    await page.get_by_label("Date de naissance").fill(name["birthDate"])
    await page.get_by_label("Motif").select_option(label="Demande du patient")
    await press(page, page.get_by_role("button", name="Voir qui a ouvert ce dossier"))

    visit = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name="Dr Pascal Le Bihan"))
    words = await visit.first.inner_text()
    assert "Médecin généraliste, Cabinet médical de la Gare" in words
    assert "Soins" in words
    assert "règle 2 :" in words


async def test_an_unknown_identity_is_told_so(desks: Desks) -> None:
    page = await desks.sign_in("auditor")
    await page.get_by_label("Matricule INS").fill("299999999999999")
    await press(page, page.get_by_role("button", name="Voir qui a ouvert ce dossier"))

    assert "Personne n'est connu" in await page.get_by_role("alert").inner_text()


async def test_the_journal_is_whole(desks: Desks) -> None:
    page = await desks.sign_in("auditor")
    await press(page, page.get_by_role("link", name="Le journal est-il intact ?"))

    assert "Oui. Rien n'a été retiré, ajouté ni changé." in await page.get_by_role("status").inner_text()


async def test_an_emergency_access_is_reviewed(desks: Desks) -> None:
    page = await desks.sign_in("auditor")
    await press(page, page.get_by_role("link", name="À revoir", exact=True))
    samson = page.get_by_role("link", name=f"Accès d'urgence, dossier {desks.patient('emergency_review')[:6]}")
    await press(page, samson)
    await check_page(page)
    words = await told(page)
    assert "Dr Nadia Haddad, Médecin de garde" in words
    assert "hors d'état de s'exprimer" in words
    assert "Samson" not in words
    await page.get_by_label("Non justifié").check()
    await press(page, page.get_by_role("button", name="Enregistrer cette revue"))
    assert "dites pourquoi" in await page.get_by_role("alert").inner_text()
    await page.get_by_label("À éclaircir").check()
    await page.get_by_label("Pourquoi").fill("Qui a appelé les pompiers ?")
    await press(page, page.get_by_role("button", name="Enregistrer cette revue"))
    assert "À éclaircir" in await told(page)

    doctor = await desks.sign_in("on_call_doctor")
    assert "Un auditeur vous a posé 1 question" in await told(doctor)
    await check_page(doctor)
    await press(doctor, doctor.get_by_role("link", name="Lire et répondre"))
    words = await told(doctor)
    assert "Qui a appelé les pompiers ?" in words
    assert "Samson" not in words
    await check_page(doctor)
    await press(doctor, doctor.get_by_role("button", name="Envoyer"))
    assert "Écrivez votre réponse" in await doctor.get_by_role("alert").inner_text()
    await doctor.get_by_label("Votre réponse").fill("La voisine, à 22 h 30")
    await press(doctor, doctor.get_by_role("button", name="Envoyer"))
    assert "Votre réponse est envoyée" in await told(doctor)
    await doctor.goto("/dossiers")
    assert "Un auditeur" not in await told(doctor)

    await page.reload()
    assert "Réponse reçue" in await told(page)
    await press(page, samson)
    assert "La voisine, à 22 h 30" in await told(page)
    assert "Qui a appelé les pompiers ?" in await told(page)
    await page.get_by_label("Justifié", exact=True).check()
    await page.get_by_label("Pourquoi").fill("La voisine a appelé")
    await press(page, page.get_by_role("button", name="Enregistrer cette revue"))
    assert await page.get_by_role("heading", name="Déjà revus").is_visible()
    waiting, _, settled = (await told(page)).partition("Déjà revus")
    assert "Dr Nadia Haddad" in settled
    assert desks.patient("emergency_review")[:6] not in waiting
    await check_page(page)


async def test_a_person_sees_who_opened_their_own_record(desks: Desks) -> None:
    doctor, patient = await desks.sign_in("gp"), desks.patient("patient_b")
    await doctor.goto(f"/dossiers/{patient}")

    page = await desks.sign_in("patient_b")
    await press(page, page.get_by_role("link", name="Sandrine Benali"))
    await press(page, page.get_by_role("link", name="Qui a vu mon dossier ?"))

    words = await told(page)
    assert "Dr Anne-Laure Guillemot" in words
    assert "maltraitance" not in words


async def test_a_person_asks_about_an_access_and_is_answered(desks: Desks) -> None:
    doctor, patient = await desks.sign_in("gp"), desks.patient("patient_b")
    await doctor.goto(f"/dossiers/{patient}")
    page = await desks.sign_in("patient_b")
    await page.goto(f"/journal/dossiers/{patient}")
    await press(page, page.get_by_role("link", name="Je ne comprends pas cet accès Dr Anne-Laure Guillemot").first)
    await check_page(page)
    await page.get_by_label("Votre question").fill("Pourquoi le dimanche ?")
    await press(page, page.get_by_role("button", name="Envoyer ma question"))
    assert "Pas encore de réponse" in await told(page)
    await check_page(page)

    officer = await desks.sign_in("dpo")
    assert "Une personne ne comprend pas un accès à son dossier" in await told(officer)
    await press(officer, officer.get_by_role("link", name="Lire la question"))
    words = await told(officer)
    assert "Pourquoi le dimanche ?" in words
    assert "Dr Anne-Laure Guillemot" in words
    assert "Benali" not in words
    await check_page(officer)
    await officer.get_by_label("Votre réponse").fill("Elle était de garde ce jour-là.")
    await press(officer, officer.get_by_role("button", name="Envoyer la réponse"))
    assert "Déjà répondues" in await told(officer)
    await check_page(officer)

    await page.reload()
    assert "Elle était de garde ce jour-là." in await told(page)


async def test_what_a_professional_did_is_found_by_name_and_narrowed(desks: Desks) -> None:
    doctor = await desks.sign_in("gp")
    await doctor.goto(f"/dossiers/{desks.patient('bpco_04')}")
    page = await desks.sign_in("auditor")
    await press(page, page.get_by_role("link", name="Qu'a fait ce professionnel ?"))
    await page.get_by_label("Nom du professionnel").fill("Guillemot")
    await press(page, page.get_by_role("button", name="Chercher"))
    await press(page, page.get_by_role("link", name="Anne-Laure Guillemot"))
    assert "Robic" not in await told(page)
    await check_page(page)
    await page.get_by_text("Affiner").click()
    await press(page, page.get_by_role("link", name="Soins", exact=True))
    assert "motif=TREAT" in page.url
    words = await told(page)
    assert "Motif : Soins" in words
    assert f"Dossier {desks.patient('bpco_04')[:6]}" in words
    await page.get_by_text("Pour les experts").click()
    line = page.get_by_label("La recherche en une ligne")
    assert "motif:TREAT" in await line.input_value()
    await line.fill("heure:99")
    await press(page, page.get_by_role("button", name="Chercher"))
    assert "«\u00a099\u00a0»" in await page.get_by_role("alert").inner_text()
    await check_page(page)


async def test_a_patient_is_answered_on_paper(desks: Desks) -> None:
    [name] = list(desks.resources("gp_outside", f"Patient?_id={desks.patient('patient_30')}"))
    official = next(one for one in name["name"] if one["use"] == "official")
    page = await desks.sign_in("auditor")
    await press(page, page.get_by_role("link", name="Répondre à un patient"))
    await page.get_by_label("Nom de naissance").fill(official["family"])
    await page.get_by_label("Premier prénom").fill(official["given"][0])
    await page.get_by_label("Date de naissance").fill(name["birthDate"])
    await page.get_by_label("Son représentant légal").check()
    await press(page, page.get_by_role("button", name="Préparer la réponse"))
    assert "Personne ne représente" in await page.get_by_role("alert").inner_text()
    await check_page(page)
    await page.get_by_label("La personne elle-même").check()
    await press(page, page.get_by_role("button", name="Préparer la réponse"))
    await check_page(page)
    async with page.expect_download() as downloaded:
        await page.get_by_role("link", name="Imprimer (PDF)").click()
    assert (await (await downloaded.value).path()).read_bytes().startswith(b"%PDF-")


async def test_a_search_becomes_a_revue_that_is_signed(desks: Desks) -> None:
    page = await desks.sign_in("auditor")
    await page.goto(f"/journal/dossiers/{desks.patient('bpco_04')}")
    await page.get_by_text("En faire une revue").click()
    await page.get_by_label("Nom de la revue").fill("Revue 100 % du trimestre")
    await press(page, page.get_by_role("button", name="Enregistrer cette revue"))
    assert "Revue 100 % du trimestre" in await told(page)
    await check_page(page)
    await page.get_by_label("Remarque").fill("Rien d'étonnant")
    await press(page, page.get_by_role("button", name="Signer cette revue"))
    assert "Rien d'étonnant" in await told(page)
    await check_page(page)
    await press(page, page.get_by_role("link", name="Revues"))
    assert "Signée le" in await told(page)
    await check_page(page)
