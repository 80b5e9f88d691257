"""What other software stores may be as odd as FHIR lets it be: every page of that person still opens."""

import json
from datetime import UTC, datetime

import httpx
import pytest

from liaison.services.pages.page import Page
from liaison.services.pages.routes import routes

from .. import odd_resources
from ..api.test_interactions import observation
from ..odd_resources import KINDS, of
from ..running_sandbox import Running
from .conftest import behind

pytestmark = pytest.mark.http


def pages_of(patient: str) -> list[str]:
    return [
        one.path.replace("{id}", patient)
        for one in routes()
        if isinstance(one, Page)
        and "GET" in (one.methods or ())
        and one.path.startswith("/dossiers/{id}")
        and one.path.count("{") == 1
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_opens_whatever_other_software_stored(sandbox: Running, kind: str) -> None:
    ordinary = ("", "Aide à domicile")
    mine = [
        one for one in sandbox.known["patients"] if {"gp", "nurse"} <= {*one["team"]} and one["special"] in ordinary
    ]
    patient = str(mine[list(KINDS).index(kind)]["id"])
    given = {"authorization": f"Bearer {sandbox.token('gp')}", "content-type": "application/fhir+json"}
    refused = []
    with httpx.Client(base_url=sandbox.known["fhir"], headers=given, timeout=60) as software:
        for tree in KINDS[kind]():
            answer = software.post(f"/{tree['resourceType']}", json=of(patient, tree))
            if answer.status_code != 201:
                refused.append((tree, answer.status_code, [i.get("diagnostics") for i in answer.json()["issue"]]))
        if kind == "people":
            tree = software.get(f"/Patient/{patient}").json()
            answer = software.put(f"/Patient/{patient}", json=odd_resources.patient(tree))
            assert answer.status_code == 200, answer.text
    assert refused == []

    broken = []
    for who in ("gp", "nurse"):
        with behind(sandbox, who) as browser:
            for page in [*pages_of(patient), "/dossiers"]:
                answer = browser.get(page)
                if answer.status_code >= 500:
                    broken.append((who, page.replace(patient, "…"), answer.status_code))
    assert broken == []


def test_no_visit_of_other_software_closes_the_aides_day(sandbox: Running) -> None:
    """Every visit of today is read for whether the appointments of the day are done: one may name none."""
    known = sandbox.known
    aide = next(one for one in known["people"] if one["key"] == "aide")
    patient = next(one for one in known["patients"] if one["key"] == "heart")
    visit = {"system": "https://liaison.example/fhir/CodeSystem/home-care", "code": "visit"}
    encounter = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"code": "HH"},
        "type": [{"coding": [visit]}],
        "subject": {"reference": f"Patient/{patient['id']}"},
        "period": {"start": datetime.now(UTC).isoformat(timespec="seconds")},
        "appointment": [{"display": "ce matin"}, odd_resources.NOBODY],
        "serviceProvider": {"reference": aide["organization"]},
    }
    given = {"authorization": f"Bearer {sandbox.token('gp')}", "content-type": "application/fhir+json"}
    answer = httpx.post(f"{known['fhir']}/Encounter", json=encounter, headers=given, timeout=60)
    assert answer.status_code == 201, answer.text

    for who in ("aide", "home_service_manager"):
        with behind(sandbox, who) as browser:
            assert browser.get("/aujourdhui").status_code == 200


def test_a_record_opens_whatever_number_stands_in_it(sandbox: Running) -> None:
    """1e999 is a decimal of R4 and no float."""
    mine = [one for one in sandbox.known["patients"] if {"gp", "nurse"} <= {*one["team"]}]
    patient = str(mine[-1]["id"])
    given = {"authorization": f"Bearer {sandbox.token('gp')}", "content-type": "application/fhir+json"}
    asked = [
        f"/Patient/{patient}",
        f"/Patient/{patient}/$summary",
        f"/Patient/{patient}/$everything",
        f"/Observation/$lastn?patient={patient}&category=vital-signs",
        f"/Observation?patient={patient}&_include=Observation:patient",
        f"/Observation?patient={patient}&_elements=value",
        f"/Observation?patient={patient}&value-quantity=gt5&_sort=-value-quantity",
        f"/Patient/{patient}/$meta",
    ]
    with httpx.Client(base_url=sandbox.known["fhir"], headers=given, timeout=60) as software:
        for number in ("1e999", "-1e-999", "72.50"):
            assert software.post("/Observation", content=observation(patient, number)).status_code == 201
        refused = software.post("/Observation", content=observation(patient, "1e1000"))
        assert refused.status_code == 400
        assert refused.json()["issue"][0]["expression"] == ["Observation.valueQuantity.value"]
        tree = software.get(f"/Patient/{patient}").json()
        tree["extension"] = [*tree.get("extension", ()), {"url": "https://x.example/d", "valueDecimal": "VALUE"}]
        body = json.dumps(tree).replace('"VALUE"', "1e999")
        assert software.put(f"/Patient/{patient}", content=body).status_code == 200
        assert [one for one in asked if software.get(one).status_code != 200] == []

    broken = []
    for who in ("gp", "nurse", "secretary"):
        with behind(sandbox, who) as browser:
            for page in [*pages_of(patient), "/dossiers", f"/dossiers/{patient}/mesures?code=29463-7"]:
                answer = browser.get(page)
                if answer.status_code >= 500:
                    broken.append((who, page.replace(patient, "…"), answer.status_code))
    assert broken == []
