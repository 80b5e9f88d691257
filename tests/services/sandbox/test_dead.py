"""A person who died is shown as dead wherever they are named: to the doctor, to the aide, to the coordinator."""

import html
from typing import Any

import httpx
import pytest

from ..running_sandbox import Running
from .conftest import behind, hidden

pytestmark = pytest.mark.http
Tree = dict[str, Any]
DIED = "2026-03-01"
SAID = "le 1er mars 2026"


def _put(sandbox: Running, who: str, patient: Tree) -> None:
    given = {"authorization": f"Bearer {sandbox.token(who)}", "content-type": "application/fhir+json"}
    answer = httpx.put(f"{sandbox.known['fhir']}/Patient/{patient['id']}", json=patient, headers=given, timeout=60)
    assert answer.status_code == 200, answer.text


def _says(sandbox: Running, who: str, path: str) -> bool:
    with behind(sandbox, who) as browser:
        answer = browser.get(path)
    assert answer.status_code == 200
    return SAID in html.unescape(answer.text)


def test_every_page_that_names_a_person_says_that_they_died(sandbox: Running) -> None:
    id_ = next(str(one["id"]) for one in sandbox.known["patients"] if one["key"] == "heart")
    pages = [
        ("gp", "/dossiers"),
        ("gp", f"/dossiers/{id_}"),
        ("gp", f"/dossiers/{id_}/plan"),
        ("gp", f"/dossiers/{id_}/mesures"),
        ("gp", f"/dossiers/{id_}/documents"),
        ("aide", "/aujourdhui"),
        ("aide", f"/visite/{id_}"),
        ("aide", f"/dossiers/{id_}/opposition"),
        ("aide", f"/dossiers/{id_}/carnet"),
    ]
    before = sandbox.get(sandbox.token("gp"), f"Patient/{id_}").json()
    assert [one for one in pages if _says(sandbox, *one)] == []

    _put(sandbox, "gp", {**before, "deceasedDateTime": DIED})
    try:
        assert [one for one in pages if not _says(sandbox, *one)] == []
    finally:
        _put(sandbox, "gp", before)


def test_the_desk_that_finds_a_person_of_its_own_says_that_they_died(sandbox: Running) -> None:
    identity = {"birth": "1951-04-01", "family": "DEFUNTE", "given": "Maryvonne", "sex": "female", "ins_kind": "10"}
    with behind(sandbox, "gp") as browser:

        def posted(step: str, **form: str) -> str:
            csrf = hidden(browser.get("/accueillir").text, "csrf")
            sent = {"csrf": csrf, "step": step, **identity, **form}
            return html.unescape(browser.post("/accueillir", data=sent, follow_redirects=True).text)

        posted("register", informed="oral", opposed="no")
        bundle = sandbox.get(sandbox.token("gp"), "Patient?family=DEFUNTE").json()
        assert SAID not in posted("traits")
        _put(sandbox, "gp", {**bundle["entry"][0]["resource"], "deceasedDateTime": DIED})

        assert f"Décédée {SAID}" in posted("traits")
