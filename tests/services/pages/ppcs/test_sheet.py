"""The PPCS on paper: one page, whatever the record holds; of what the reader sees, and of nobody else's patients."""

import re
from datetime import date, timedelta
from typing import Any

from ...oauth.conftest import Place
from ..browsing import today
from ..workshops.test_sessions import ask

STEP = "https://liaison.example/fhir/CodeSystem/protocol-step"


async def filled(place: Place, number: int) -> None:
    """A record with so many of everything."""
    subject = {"reference": f"Patient/{place.patient}"}
    trees: list[dict[str, Any]] = []
    for one in range(number):
        due = (date.fromisoformat(today()) + timedelta(days=10 + one)).isoformat()
        code = "ppcs-review" if one == 0 else "gp-review"
        task: dict[str, Any] = {"resourceType": "Task", "status": "requested", "intent": "order", "for": subject}
        task |= {
            "code": {"coding": [{"system": STEP, "code": code}]},
            "description": f"Étape numéro {one} " + "x" * 120,
        }
        task |= {"restriction": {"period": {"end": due}}, "owner": {"display": "Claire Référente"}}
        trees.append(task)
        clinical = {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
        }
        trees.append(
            {
                "resourceType": "Condition",
                "subject": subject,
                "clinicalStatus": clinical,
                "code": {"text": f"Problème {one}"},
            }
        )
        for status in ("active", "proposed"):
            words = {"text": f"Objectif {status} {one}"}
            trees.append({"resourceType": "Goal", "subject": subject, "lifecycleStatus": status, "description": words})
    for tree in trees:
        await ask(place, "POST", tree["resourceType"], tree)


def said(content: bytes) -> str:
    """The words of the sheet."""
    return "\n".join(bytes.fromhex(one.decode()).decode("cp1252") for one in re.findall(rb"<([0-9a-f]+)> Tj", content))


async def test_it_is_one_page_whatever_the_record_holds(place: Place) -> None:
    async with place.signed_in() as nurse:
        bare = await nurse.get(f"/dossiers/{place.patient}/ppcs")
        assert "Référent : à nommer" in said(bare.content)
        await filled(place, 12)
        full = await nurse.get(f"/dossiers/{place.patient}/ppcs")

    for answer in (bare, full):
        assert answer.headers["content-type"] == "application/pdf"
        assert len(re.findall(rb"/Type /Page\b", answer.content)) == 1
    words = said(full.content)
    assert "Référent : Claire Référente" in words
    for part in (
        "À réévaluer le : ",
        "Étape numéro 0",
        "Problème",
        "Objectif active",
        "Objectif proposed",
        "et 9 de plus, dans le dossier",
    ):
        assert part in words


async def test_nobody_prints_what_they_do_not_see(place: Place) -> None:
    async with place.signed_in() as nurse:
        assert (await nurse.get(f"/dossiers/{place.other_patient}/ppcs")).status_code == 404
    async with place.signed_in("dpo") as officer:
        assert (await officer.get(f"/dossiers/{place.patient}/ppcs")).status_code == 404
