"""What was entered in error is told on no page: to the aide, to the coordinator, to the relatives."""

import html
import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from ..running_sandbox import Running
from .conftest import behind

pytestmark = pytest.mark.http
Tree = dict[str, Any]
LOCAL = "https://liaison.example/fhir/CodeSystem"
NOW = datetime.now(UTC).isoformat(timespec="seconds")


def _patient(sandbox: Running, key: str) -> str:
    return next(str(one["id"]) for one in sandbox.known["patients"] if one["key"] == key)


def _role(sandbox: Running, key: str) -> Tree:
    return {"reference": next(one["practitioner_role"] for one in sandbox.known["people"] if one["key"] == key)}


def _write(sandbox: Running, who: str, tree: Tree) -> None:
    given = {"authorization": f"Bearer {sandbox.token(who)}", "content-type": "application/fhir+json"}
    answer = httpx.post(f"{sandbox.known['fhir']}/{tree['resourceType']}", json=tree, headers=given, timeout=60)
    assert answer.status_code == 201, answer.text


def _page(sandbox: Running, who: str, path: str) -> str:
    """What is read on it, without what differs from one answer to the next."""
    with behind(sandbox, who) as browser:
        answer = browser.get(path)
    assert answer.status_code == 200
    return html.unescape(re.sub(r'value="[^"]*"', "", answer.text))


def _instruction(sandbox: Running, status: str, words: str) -> Tree:
    return {
        "resourceType": "Communication",
        "status": status,
        "category": [{"coding": [{"system": f"{LOCAL}/home-care", "code": "instruction"}]}],
        "subject": {"reference": f"Patient/{_patient(sandbox, 'heart')}"},
        "sent": NOW,
        "recipient": [_role(sandbox, "aide")],
        "sender": _role(sandbox, "gp"),
        "payload": [{"contentString": words}],
    }


def test_an_instruction_in_error_does_not_reach_the_aide(sandbox: Running) -> None:
    _write(sandbox, "gp", _instruction(sandbox, "completed", "Peser demain matin"))
    _write(sandbox, "gp", _instruction(sandbox, "entered-in-error", "Ne plus donner à boire"))

    page = _page(sandbox, "aide", "/aujourdhui")

    assert "Peser demain matin" in page
    assert "Ne plus donner à boire" not in page


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_a_weight_that_is_none_is_not_the_last_one(sandbox: Running, status: str) -> None:
    patient = _patient(sandbox, "heart")
    before = _page(sandbox, "aide", f"/visite/{patient}")
    assert "Dernière mesure" in before
    weight: Tree = {
        "resourceType": "Observation",
        "status": status,
        "category": [
            {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}
                ]
            }
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": NOW,
        "performer": [_role(sandbox, "aide")],
        "valueQuantity": {"value": 199, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
    }
    _write(sandbox, "aide", weight)

    assert "199 kg" not in _page(sandbox, "aide", f"/visite/{patient}")


def test_a_score_in_error_changes_nothing_on_the_cohort(sandbox: Running) -> None:
    before = _page(sandbox, "coordinator", "/cohorte")
    score: Tree = {
        "resourceType": "Observation",
        "status": "entered-in-error",
        "code": {"coding": [{"system": f"{LOCAL}/cat", "code": "total"}]},
        "subject": {"reference": f"Patient/{_patient(sandbox, 'bpco_03')}"},
        "effectiveDateTime": NOW,
        "valueInteger": 40,
    }
    _write(sandbox, "gp", score)
    assert _page(sandbox, "coordinator", "/cohorte") == before

    _write(sandbox, "gp", {**score, "status": "final"})
    assert _page(sandbox, "coordinator", "/cohorte") != before
