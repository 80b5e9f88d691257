"""The gate of every screen: accessible, one heading, its own title, no sideways scroll, French, quiet, of this origin.

Console and origins are looked at by the fixture, after each test.
"""

import re

import pytest

from ..services.pages.conftest import check_page
from .conftest import Desks

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SCREENS = {
    "aide": ["/aujourdhui", "/visite/{bpco_03}", "/dossiers/{bpco_03}/opposition", "/dossiers/{bpco_03}/carnet"],
    "home_service_manager": ["/equipe", "/aujourdhui", "/dossiers/{guarded}", "/service", "/service/tournees", "/service/feuilles", "/service/formulaires", "/service/formulaires/visit", "/service/destinataires", "/service/numeros", "/service/papier/{bpco_03}", "/service/sejour/{bpco_03}", "/service/export",
                             "/service/rien-a-signaler", "/signalements", "/a-verifier"],
    "gp": ["/dossiers", "/dossiers/{bpco_04}", "/dossiers/{bpco_04}/documents", "/dossiers/{bpco_04}/mesures", "/dossiers/{bpco_04}/plan", "/dossiers/{bpco_04}/problemes", "/accueillir",
           "/accueillir?etape=identite", "/accueillir/plusieurs", "/dossiers/absent", "/dossiers/{bpco_04}/equipe", "/dossiers/{bpco_04}/carnet",
           "/dossiers/{bpco_04}/opposition", "/dossiers/{bpco_04}/proches", "/dossiers/{bpco_04}/identite", "/doublons", "/doublons/{bpco_04}/{bpco_01}",
           "/oppositions", "/regles", "/equipe"],
    "pneumologist": ["/equipe"],
    "caregiver": ["/carnet"],
    "secretary": ["/dossiers/{masked}", "/dossiers/{masked}/accords"],
    "coordinator": ["/reunions", "/seances", "/seances/nouvelle", "/cohorte", "/cohorte?retard=1", "/cohorte?vue=tableau", "/cohorte/relances", "/cohorte/appliquer/{bpco_01}",
                    "/cohorte/appliquer/{bpco_01}?protocole=https://liaison.example/fhir/PlanDefinition/bpco"],
    "coordinator_admin": ["/cohorte/indicateurs"],
    "dpo": ["/avis", "/journal", "/journal/questions", "/acces-retablis", "/logiciels", "/conservation", "/conservation/blocages"],
    "admin": ["/administration/comptes", "/administration/suspensions", "/logiciels"],
    "practice_referent": ["/equipe"],
    "auditor": ["/journal", "/journal/professionnels", "/journal/repondre", "/journal/recherche?role=pharmacist", "/journal/dossiers/{bpco_04}", "/journal/reponses/{bpco_04}", "/journal/revues", "/journal/dossiers/{bpco_04}/nom",
                "/journal/urgences", "/journal/identites", "/journal/integrite", "/journal/signaux",
                "/journal/signaux/night", "/journal/signaux/same-family", "/journal/affaires", "/journal/chiffres"],
    "call_handler": ["/appels"],
    "patient_educator": ["/mes-seances"],
    "on_call_doctor": ["/dossiers", "/urgence", "/mes-acces"],
    "regulating_doctor": ["/appels"],
    "patient_a": ["/dossiers", "/dossiers/{patient_a}", "/journal/dossiers/{patient_a}", "/journal/dossiers/{patient_a}?avant=2026-01-05"],
}  # fmt: skip
ENGLISH = frozenset(
    [
        "the",
        "and",
        "of",
        "with",
        "your",
        "you",
        "are",
        "not",
        "save",
        "cancel",
        "error",
        "search",
        "choose",
        "submit",
        "loading",
        "invalid",
        "unknown",
        "missing",
        "required",
        "answer",
        "warning",
        "none",
        "true",
        "false",
        "null",
        "undefined",
    ]
)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("who", SCREENS)
async def test_every_screen_of_a_role_holds_the_gate(desks: Desks, who: str) -> None:
    page = await desks.sign_in(who)
    titles = set()
    for path in SCREENS[who]:
        address = re.sub(r"\{(\w+)\}", lambda found: desks.patient(found[1]), path)
        await page.goto(address)
        await page.locator("details").evaluate_all("parts => parts.forEach(part => { part.open = true })")
        # At its end, where the bar that stays under the thumb lies over nothing.
        await page.evaluate("scrollTo(0, document.body.scrollHeight)")
        await check_page(page)
        # What is typed at a console is no prose.
        await page.locator("code").evaluate_all("commands => commands.forEach(one => one.remove())")
        words = set(re.findall(r"[^\W\d_]+", (await page.locator("body").inner_text()).lower()))
        assert words & ENGLISH == set(), path
        titles.add((await page.title(), path.partition("?")[0]))

    assert len({title for title, _ in titles}) == len({path for _, path in titles})


FAULTS = {
    "main.insertAdjacentHTML('beforeend', '<img src=\"/static/icon.svg\">')": "image-alt",
    "main.querySelector('h1').style.width = '325px'": r"\(320, 640\)",
    "main.insertAdjacentHTML('beforeend', '<button>Petit</button>'), main.lastElementChild.style.height = '30px'": "Petit",
}


async def test_the_gate_sees_a_planted_fault(desks: Desks) -> None:
    page = await desks.sign_in("gp")
    for fault, said in FAULTS.items():
        await page.reload()
        await page.evaluate(f"main = document.querySelector('main'), {fault}")

        with pytest.raises(AssertionError, match=said):
            await check_page(page)
