"""A record that other software has filled for years: the page of a person loses nothing that stands, and names it."""

import html
from typing import Any

import httpx
import pytest

from ..running_sandbox import Running
from .conftest import behind, hidden

pytestmark = pytest.mark.http
Tree = dict[str, Any]


def _patient(sandbox: Running) -> str:
    """An ordinary one of the doctor's: no other test speaks of this record."""
    mine = [one for one in sandbox.known["patients"] if "gp" in one["team"] and not one["special"]]
    return str(mine[-1]["id"])


def _send(sandbox: Running, method: str, path: str, tree: Tree, **headers: str) -> Tree:
    given = {"authorization": f"Bearer {sandbox.token('gp')}", "content-type": "application/fhir+json", **headers}
    answer = httpx.request(method, f"{sandbox.known['fhir']}{path}", json=tree, headers=given, timeout=60)
    assert answer.status_code < 300, answer.text
    found: Tree = answer.json()
    return found


def _page(sandbox: Running, path: str) -> str:
    with behind(sandbox, "gp") as browser:
        answer = browser.get(path)
    assert answer.status_code == 200
    return html.unescape(answer.text)


def _medicine(patient: str, status: str, **what: Any) -> Tree:
    return {
        "resourceType": "MedicationRequest",
        "status": status,
        "intent": "order",
        "subject": {"reference": f"Patient/{patient}"},
        "authoredOn": "2019-04-02",
        **what,
    }


def _written(patient: str) -> Tree:
    taken: Tree = {"resourceType": "Medication", "code": {"text": "Apixaban 5 mg comprimé"}}
    trees: list[Tree] = [
        {**taken, "id": "x"},
        _medicine(
            patient, "active", medicationReference={"reference": "urn:uuid:7f1b9a54-8d3c-4a55-9d49-2a1f0c9f6d01"}
        ),
        *(_medicine(patient, "completed", medicationCodeableConcept={"text": "Amoxicilline 1 g"}) for _ in range(210)),
    ]
    entries: list[Tree] = [
        {"resource": one, "request": {"method": "POST", "url": one["resourceType"]}} for one in trees
    ]
    entries[0]["fullUrl"] = "urn:uuid:7f1b9a54-8d3c-4a55-9d49-2a1f0c9f6d01"
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def test_a_treatment_that_stands_is_named_among_hundreds_that_ended(sandbox: Running) -> None:
    patient = _patient(sandbox)
    _send(sandbox, "POST", "", _written(patient))

    page = _page(sandbox, f"/dossiers/{patient}")

    assert "Apixaban 5 mg comprimé" in page
    assert page.count("Amoxicilline 1 g (fait)") == 1


def test_a_member_without_a_display_is_named_from_the_directory(sandbox: Running) -> None:
    patient = _patient(sandbox)
    before = sandbox.get(sandbox.token("gp"), f"CareTeam?patient=Patient/{patient}&status=active").json()
    team: Tree = before["entry"][0]["resource"]
    names = {one["member"].pop("display").partition(" (")[0] for one in team["participant"]}
    _send(sandbox, "PUT", f"/CareTeam/{team['id']}", team, **{"if-match": f'W/"{team["meta"]["versionId"]}"'})

    page = _page(sandbox, f"/dossiers/{patient}")

    assert [name for name in names if name not in page] == []
    assert "Membre sans nom" not in page


@pytest.mark.parametrize(
    ("typed", "found", "left_out"),
    [
        ("robic", ["Jeannine Robic"], ["Marcel Cadic"]),
        ("LE FLO jean", ["Jeannine Robic"], ["Marcel Cadic"]),
        ("cadic", ["Marcel Cadic"], ["Jeannine Robic"]),
        ("moisan,|$\\", [], ["Moisan</a>"]),
        (",", [], ["Marcel Cadic"]),
    ],
)
def test_a_patient_is_found_by_the_beginning_of_names_and_the_name_stands_in_no_address(
    sandbox: Running, typed: str, found: list[str], left_out: list[str]
) -> None:
    with behind(sandbox, "nurse") as browser:
        answer = browser.post("/dossiers", data={"csrf": hidden(browser.get("/dossiers").text, "csrf"), "nom": typed})
    text = html.unescape(answer.text)

    assert answer.status_code == 200
    assert str(answer.url).endswith("/dossiers")
    assert [name for name in found if name not in text] == []
    assert [name for name in left_out if name in text] == []
