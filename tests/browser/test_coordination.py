"""The cohort, its late steps done on their true date, moved or set aside, and a protocol applied after its preview."""

import json
import re
from datetime import date, timedelta

import httpx
import pytest

from ..services.pages.conftest import check_page
from .conftest import Desks, heading, press, told

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_late_step_is_done_on_its_true_date(desks: Desks) -> None:
    page = await desks.sign_in("coordinator")
    assert await heading(page) == "Cohorte"
    await press(page, page.get_by_role("link", name="Voir seulement ce qui est en retard"))
    await press(page, page.get_by_role("link", name="Atelier 2"))
    await page.get_by_label("C'est fait, à la date ci-dessous").check()
    day = date.today() - timedelta(days=9)
    await page.get_by_label("Date", exact=True).fill(day.isoformat())
    await press(page, page.get_by_role("button", name="Enregistrer"))

    assert await page.get_by_role("link", name="Atelier 2").count() == 0
    patient = desks.patient("bpco_03")
    done = [t for t in desks.resources("gp", f"Task?patient={patient}&status=completed&_count=200")
            if t.get("description", "").startswith("Atelier 2")]  # fmt: skip
    assert [task["executionPeriod"]["end"] for task in done] == [day.isoformat()]


@pytest.mark.parametrize(
    ("what", "key"), [("C'est reporté à la date ci-dessous", "bpco_02"), ("Cela ne se fera pas", "bpco_08")]
)
async def test_a_step_moves_or_is_set_aside_only_with_a_reason(desks: Desks, what: str, key: str) -> None:
    page = await desks.sign_in("coordinator")
    name = next(one["name"] for one in desks.territory.known["patients"] if one["key"] == key)
    row = page.get_by_role("row").filter(has_text=name)
    title = await row.get_by_role("link").nth(1).inner_text()
    await press(page, row.get_by_role("link").nth(1))
    for reason in ("", "Absente tout le mois"):
        await page.get_by_label(what).check()
        await page.get_by_label("Date", exact=True).fill((date.today() + timedelta(days=40)).isoformat())
        await page.get_by_label("Motif ou remarque").fill(reason)
        await press(page, page.get_by_role("button", name="Enregistrer"))
        if not reason:
            assert "Un motif est nécessaire." in await page.get_by_role("alert").inner_text()

    assert await heading(page) == "Cohorte"
    tasks = desks.resources("gp", f"Task?patient={desks.patient(key)}&_count=200")
    changed = [task for task in tasks if task.get("description") == title]
    assert "Absente tout le mois" in json.dumps(changed, ensure_ascii=False)


async def test_a_protocol_is_applied_after_its_preview(desks: Desks) -> None:
    page, patient = await desks.sign_in("coordinator"), desks.patient("bpco_11")
    before = len(desks.resources("coordinator", f"CarePlan?patient={patient}"))
    await page.goto(f"/dossiers/{patient}/plan")
    await press(page, page.get_by_role("link", name="Appliquer un protocole"))
    protocols = page.get_by_label("Protocole")
    await protocols.select_option(label="Éducation thérapeutique BPCO : Mieux respirer au quotidien, version 1.0.0")
    await press(page, page.get_by_role("button", name="Voir l'aperçu"))
    assert "Bilan éducatif partagé" in await page.get_by_role("table", name="Étapes proposées").inner_text()
    assert len(desks.resources("coordinator", f"CarePlan?patient={patient}")) == before

    await press(page, page.get_by_role("button", name="Appliquer"))

    assert "Bilan éducatif partagé" in await told(page)
    assert len(desks.resources("coordinator", f"CarePlan?patient={patient}")) == before + 1


async def test_the_same_protocol_is_applied_over_fhir(desks: Desks) -> None:
    token, patient = desks.territory.token("gp"), desks.patient("bpco_01")
    [definition] = [
        one for one in desks.resources("gp", "PlanDefinition?_count=50") if one["url"].endswith("PlanDefinition/bpco")
    ]
    parts = [{"name": "subject", "valueString": f"Patient/{patient}"}]

    def apply(*more: dict[str, object]) -> httpx.Response:
        return httpx.post(
            f"{desks.territory.known['fhir']}/PlanDefinition/{definition['id']}/$apply",
            json={"resourceType": "Parameters", "parameter": [*parts, *more]},
            headers={"authorization": f"Bearer {token}", "content-type": "application/fhir+json"},
            timeout=60,
        )

    preview = apply({"name": "preview", "valueBoolean": True})
    assert (preview.status_code, preview.json()["resourceType"]) == (200, "Bundle")
    before = desks.resources("gp", f"CarePlan?patient={patient}&status=active")
    [following] = [one for one in before if definition["url"] in str(one.get("instantiatesCanonical"))]
    second = apply()
    assert second.status_code == 409
    assert f"CarePlan/{following['id']}" in second.json()["issue"][0]["diagnostics"]
    assert desks.resources("gp", f"CarePlan?patient={patient}&status=active") == before
    plan = apply({"name": "again", "valueBoolean": True})
    assert (plan.status_code, plan.json()["resourceType"]) == (201, "CarePlan")
    assert plan.json()["activity"]


async def test_a_second_plan_of_the_same_protocol_is_asked_for_twice(desks: Desks) -> None:
    page, patient = await desks.sign_in("coordinator"), desks.patient("bpco_12")
    before = len(desks.resources("coordinator", f"CarePlan?patient={patient}"))
    await page.goto(f"/cohorte/appliquer/{patient}?protocole=https://liaison.example/fhir/PlanDefinition/bpco")
    assert "Cette personne suit déjà ce protocole" in await told(page)
    await press(page, page.get_by_role("button", name="Appliquer"))
    assert "Cochez la case" in await page.get_by_role("alert").inner_text()
    assert len(desks.resources("coordinator", f"CarePlan?patient={patient}")) == before

    await page.get_by_label("Ouvrir un second plan").check()
    await press(page, page.get_by_role("button", name="Appliquer"))
    assert page.url.endswith("/plan")
    assert "(source non relue)" in (await told(page)).partition("Ce protocole repose sur")[2]
    assert len(desks.resources("coordinator", f"CarePlan?patient={patient}")) == before + 1


async def test_the_administrative_coordinator_has_counts_and_no_names(desks: Desks) -> None:
    page = await desks.sign_in("coordinator_admin")
    assert await heading(page) == "Indicateurs"
    words = await told(page)
    assert "Personnes dont un plan de suivi BPCO est en cours 12" in words
    assert "effectif caché" in words
    assert not [one["name"] for one in desks.territory.known["patients"] if one["name"] in words]

    token = desks.territory.token("coordinator_admin")
    [measure] = [one for one in desks.resources("coordinator_admin", "Measure?_count=50")
                 if one["name"] == "SpirometrieAnnuelle"]  # fmt: skip
    answer = desks.territory.get(token, f"Measure/{measure['id']}/$evaluate-measure")
    denominator, numerator = answer.json()["group"][0]["population"]
    assert (answer.status_code, denominator["count"]) == (200, 12)
    assert "count" not in numerator
    year = "periodStart=2026&periodEnd=2026-12-31"
    answer = desks.territory.get(token, f"Measure/{measure['id']}/$evaluate-measure?{year}")
    assert (answer.status_code, answer.json()["period"]) == (200, {"start": "2026-01-01", "end": "2026-12-31"})
    assert "denominator" in answer.json()["contained"][0]["issue"][0]["diagnostics"]
    for query in (
        "periodStart=2026",
        "periodEnd=2026",
        "periodStart=2026-01-02&periodEnd=2026-12-31",
        "periodStart=2025&periodEnd=2026",
        "periodStart=9999&periodEnd=9999",
        "periodStart=x&periodEnd=x",
        "subject=Patient/1",
        f"{year}&reportType=subject",
    ):
        answer = desks.territory.get(token, f"Measure/{measure['id']}/$evaluate-measure?{query}")
        assert (answer.status_code, answer.json()["resourceType"]) == (400, "OperationOutcome"), query
        assert re.search(r"'(period(Start|End)|subject|reportType)'", answer.json()["issue"][0]["diagnostics"]), query
    for who in ("gp", "aide", "call_handler"):
        refused = desks.territory.get(desks.territory.token(who), f"Measure/{measure['id']}/$evaluate-measure")
        assert refused.status_code == 403


async def test_a_look_at_the_cohort_is_kept_under_a_name_and_is_nobody_else_s(desks: Desks) -> None:
    page = await desks.sign_in("coordinator")
    await page.goto("/cohorte?tri=nom&vue=tableau")
    await page.get_by_text("Mes vues").tap()
    await page.get_by_label("Garder la vue affichée sous le nom").fill("Par nom")
    await press(page, page.get_by_role("button", name="Garder cette vue"))
    await page.goto("/cohorte")
    await page.get_by_text("Mes vues (1)").tap()
    await press(page, page.get_by_role("link", name="Par nom"))
    assert page.url.endswith("/cohorte?tri=nom&vue=tableau")
    words = await told(page)
    assert [words.index(stage) for stage in ("À inclure", "Bilan (", "Séances (", "Évaluation (", "Suivi (", "Sorti (")]

    other = await desks.sign_in("nurse")
    await other.goto("/cohorte")
    assert await other.get_by_text("Mes vues", exact=True).count() == 1
    await page.goto("/cohorte")
    await page.get_by_text("Mes vues (1)").tap()
    await press(page, page.get_by_role("button", name="Retirer Par nom"))
    assert await page.get_by_text("Mes vues", exact=True).count() == 1


async def test_whoever_is_ticked_is_called_back_once(desks: Desks) -> None:
    page = await desks.sign_in("coordinator")
    patient = desks.patient("bpco_09")
    name = next(one["name"] for one in desks.territory.known["patients"] if one["key"] == "bpco_09")
    await page.goto("/cohorte")
    await press(page, page.get_by_role("button", name="Relancer les personnes cochées"))
    assert "Choisissez qui relancer." in await page.get_by_role("alert").inner_text()
    for _again in range(2):
        await page.goto("/cohorte")
        await page.get_by_role("row").filter(has_text=name).get_by_role("checkbox").check()
        await press(page, page.get_by_role("button", name="Relancer les personnes cochées"))
    assert await heading(page) == "Feuille d’appels"
    asked = [one for one in desks.resources("coordinator", f"Task?patient={patient}&_count=200")
             if one["code"].get("text") == "Relance"]  # fmt: skip
    assert [one["status"] for one in asked] == ["requested"]
    sheet = await page.request.get("/cohorte/relances?pdf=1")
    assert (sheet.status, (await sheet.body())[:5]) == (200, b"%PDF-")

    await press(page, page.get_by_role("button", name=f"Pas de réponse {name}"))
    assert "1 appel sans réponse" in await told(page)
    await press(page, page.get_by_role("button", name=f"Jointe {name}"))
    assert name not in await told(page)
    [one] = desks.resources("coordinator", f"Task?_id={asked[0]['id']}")
    assert one["status"] == "completed"


async def test_rows_are_walked_with_the_arrows(desks: Desks) -> None:
    page = await desks.sign_in("coordinator")
    boxes = page.get_by_role("table").get_by_role("checkbox")
    await boxes.first.focus()
    await page.keyboard.press("ArrowDown")
    assert await boxes.nth(1).evaluate("box => box === document.activeElement")
    await page.keyboard.press("Space")
    assert await boxes.nth(1).is_checked()
    await page.keyboard.press("ArrowUp")
    assert await boxes.first.evaluate("box => box === document.activeElement")


async def test_a_team_meeting_and_what_it_decides(desks: Desks) -> None:
    page, patient = await desks.sign_in("coordinator"), desks.patient("bpco_04")
    name = next(one["name"] for one in desks.territory.known["patients"] if one["key"] == "bpco_04")
    await page.goto("/reunions")
    await page.get_by_label("Jour").fill(date.today().isoformat())
    await page.get_by_label("Heure").fill("00:05")
    await page.get_by_label("Durée, en minutes").fill("45")
    await press(page, page.get_by_role("button", name="Noter la réunion"))
    assert "deux personnes au moins" in await page.get_by_role("alert").inner_text()
    await page.get_by_role("checkbox").nth(1).check()
    await press(page, page.get_by_role("button", name="Noter la réunion"))
    address = page.url
    await page.get_by_label("Nom qui commence par").fill(name.split(" ")[1][:4])
    await press(page, page.get_by_role("button", name="Chercher"))
    await press(page, page.get_by_role("button", name=f"Ajouter {name}"))
    await page.get_by_text("Noter une décision").tap()
    await page.get_by_label("Ce qui est décidé").fill("Voir le domicile avec l’ergothérapeute")
    await page.get_by_label("Qui le fait").select_option(index=1)
    await press(page, page.get_by_role("button", name="Enregistrer"))
    assert "Voir le domicile avec l’ergothérapeute" in await told(page)
    await check_page(page)

    [task] = [one for one in desks.resources("coordinator", f"Task?patient={patient}&_count=200")
              if one["code"].get("text") == "Décision de réunion d'équipe"]  # fmt: skip
    assert task["owner"]["reference"].startswith("Practitioner")
    # Whoever was there and does not follow this person learns a number, and no name.
    other = await desks.sign_in("gp_outside")
    await other.goto(address)
    seen = await told(other)
    assert name not in seen
    assert "Et 1 personne que vous ne suivez pas." in seen


async def test_the_report_is_told_with_its_definitions_as_a_table_and_on_paper(desks: Desks) -> None:
    page = await desks.sign_in("coordinator_admin")
    table = await page.request.get("/cohorte/indicateurs.csv")
    rows = (await table.body()).decode("utf-8-sig").split("\r\n")
    assert rows[0].startswith("rapport;indicateur;définition;du;au;")
    [entered] = [row for row in rows if "Entrées dans le programme" in row]
    assert ";12;" in entered  # the denominator
    assert ";effectif caché;;" in entered  # the numerator, of fewer than eleven, and its share
    assert any(row.startswith("ETP, évaluation quadriennale") for row in rows)
    paper = await page.request.get("/cohorte/indicateurs.pdf")
    assert (paper.status, (await paper.body())[:5]) == (200, b"%PDF-")
    hexadecimal = b"".join(re.findall(rb"<([0-9a-f]+)> Tj", await paper.body())).decode()
    assert "(source non relue)" in bytes.fromhex(hexadecimal).decode("cp1252")
    for language, mark in (("fr", "(source non relue)"), ("en", "(source not read again)")):
        table = await page.request.get(f"/cohorte/indicateurs.csv?lang={language}")
        assert {mark} == set(re.findall(r"\(source [^)]*\)", await table.text())), language
    refused = await (await desks.sign_in("gp")).request.get("/cohorte/indicateurs.csv")
    assert refused.status == 404
