"""What other software stores may be as odd as FHIR lets it be: every page of that person still opens."""

import httpx
import pytest

from liaison.services.pages.page import Page
from liaison.services.pages.routes import routes

from .. import odd_resources
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
    mine = [one for one in sandbox.known["patients"] if {"gp", "nurse"} <= {*one["team"]} and not one["special"]]
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
