"""Suspected abuse, told on its own channel: read by whoever the aide has chosen among those designated, and by nobody else."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from ..oauth.conftest import field
from ..running_sandbox import Running
from .telephone import Telephone, person

pytestmark = pytest.mark.http
WORDS = "Des bleus aux deux poignets, elle baisse les yeux quand il parle."


def enter(http: httpx.Client, territory: Running, key: str) -> None:
    one, page = person(territory, key), http.get("/connexion").text
    form = {name: field(page, name) for name in ("csrf", "suite")}
    answer = http.post("/connexion", data={**form, "identifiant": one["username"], "secret": one["password"]})
    assert answer.status_code == 303, answer.text


@pytest.fixture(scope="module")
def reader(sandbox: Running, manager: Telephone) -> Iterator[httpx.Client]:
    """The social worker, whom the service has designated in a sandbox, taken off and designated anew."""
    role = person(sandbox, "social_worker")["practitioner_role"]
    for step in ("retirer", "designer"):
        page = manager.http.get("/signalements").text
        assert ("Personne n'est désigné" in page) is (step == "designer")
        answer = manager.http.post(f"/signalements/{step}", data={"csrf": field(page, "csrf"), "personne": role})
        assert answer.status_code == 303, answer.text
    with httpx.Client(base_url=str(sandbox.known["issuer"]), timeout=60) as http:
        enter(http, sandbox, "social_worker")
        yield http


def letter(telephone: Telephone, to: str, words: str = WORDS, **changes: Any) -> dict[str, Any]:
    made = telephone.letter({**telephone.someone, "appointment": ""}, kind="report", **changes)
    return {**made, "form": {"to": [to], "words": [words]}}


def test_the_one_who_was_chosen_reads_it_and_nobody_else(
    telephone: Telephone, manager: Telephone, reader: httpx.Client, sandbox: Running
) -> None:
    telephone.fetch()
    [designated] = telephone.tour["readers"]
    assert designated["reference"] == person(sandbox, "social_worker")["practitioner_role"]
    told = letter(telephone, designated["reference"])
    parcel = telephone.parcel(told)
    receipt = telephone.bring(parcel).json()
    assert receipt["state"] == "filed", receipt
    assert telephone.bring(parcel).json() == receipt

    assert reader.get("/signalements").text.count(WORDS) == 1
    for page in ("/signalements", "/a-verifier", f"/dossiers/{told['patient']}/documents"):
        assert WORDS not in manager.http.get(page).text
    assert telephone.http.get("/signalements").status_code == 404
    query = f"Communication?patient=Patient/{told['patient']}&_count=200"
    for who in ("home_service_manager", "gp", "nurse"):
        assert WORDS not in sandbox.get(sandbox.token(who), query).text
    number = f"Communication?identifier=https://liaison.example/fhir/id/visit%7C{told['visit']}%23report"
    assert sandbox.get(sandbox.token("home_service_manager"), number).json().get("total", 0) == 0
    [mine] = sandbox.get(sandbox.token("aide"), number).json()["entry"]  # hers
    assert mine["resource"]["meta"]["security"][0]["code"] == "PROT"


def test_its_reader_gives_it_to_read_to_somebody_by_name_and_nobody_else_can(
    telephone: Telephone, manager: Telephone, reader: httpx.Client, sandbox: Running
) -> None:
    telephone.fetch()
    words = f"{WORDS} À montrer à son médecin."
    told = letter(telephone, telephone.tour["readers"][0]["reference"], words)
    assert telephone.bring(telephone.parcel(told)).json()["state"] == "filed"
    page = reader.get("/signalements").text
    [card] = [part for part in page.split("<li ") if "À montrer à son médecin." in part]
    gp, nurse = (person(sandbox, key)["practitioner_role"] for key in ("gp", "nurse"))
    form = {"csrf": field(page, "csrf"), "signalement": field(card, "signalement"), "personne": gp}

    with httpx.Client(base_url=str(sandbox.known["issuer"]), timeout=60) as http:
        enter(http, sandbox, "gp")
        before = http.get("/signalements").text
        assert "À montrer à son médecin." not in before
        theirs = {**form, "csrf": field(before, "csrf"), "personne": nurse}
        assert http.post("/signalements/confier", data=theirs).status_code == 404  # not theirs to give
        for wrong in ("PractitionerRole/nobody", "", person(sandbox, "aide")["practitioner_role"]):
            refused = reader.post("/signalements/confier", data={**form, "personne": wrong})
            assert (refused.status_code, "Choisissez une personne de la liste." in refused.text) == (400, True)

        for _twice in range(2):
            assert reader.post("/signalements/confier", data=form).status_code == 303
        assert reader.get("/signalements").text.count("Donné à lire à") == 1
        after = http.get("/signalements").text
        assert after.count("À montrer à son médecin.") == 1
        assert "Donné à lire par la personne qui l" in after
    assert "À montrer à son médecin." not in manager.http.get("/signalements").text
    query = f"Communication?patient=Patient/{told['patient']}&_count=200"
    for who in ("home_service_manager", "nurse"):
        assert "À montrer à son médecin." not in sandbox.get(sandbox.token(who), query).text


@pytest.mark.parametrize(
    ("to", "changes"),
    [("PractitionerRole/nobody", {}), ("", {"permit": "AAAA"}), ("", {"patient": "no-such-person"})],
    ids=["nobody designated", "no permit", "another person"],
)
def test_what_no_record_takes_is_read_by_those_designated_and_is_in_no_tray(
    telephone: Telephone, manager: Telephone, reader: httpx.Client, sandbox: Running, to: str, changes: dict[str, Any]
) -> None:
    telephone.fetch()
    words = f"{WORDS} {to} {changes}"
    told = {**letter(telephone, to or telephone.tour["readers"][0]["reference"], words), **changes}
    assert telephone.bring(telephone.parcel(told)).json()["state"] == "filed"
    shown = re.sub(r"&#39;", "'", reader.get("/signalements").text)
    assert shown.count(words) == 1
    for page in ("/signalements", "/a-verifier"):
        assert WORDS not in manager.http.get(page).text


def test_it_is_read_however_late_it_comes_and_after_the_reader_was_taken_off(
    telephone: Telephone, manager: Telephone, reader: httpx.Client, sandbox: Running
) -> None:
    telephone.fetch()
    [designated] = telephone.tour["readers"]
    page = manager.http.get("/signalements").text
    form = {"csrf": field(page, "csrf"), "personne": designated["reference"]}
    assert manager.http.post("/signalements/retirer", data=form).status_code == 303
    assert telephone.fetch().json()["readers"] == []
    words = "Écrit il y a longtemps."
    long_ago = (telephone.now() - timedelta(days=6)).isoformat()
    told = letter(telephone, designated["reference"], words, written=long_ago)
    assert telephone.bring(telephone.parcel(told)).json()["state"] == "filed"
    assert words in reader.get("/signalements").text


def test_only_somebody_of_the_directory_is_designated(manager: Telephone) -> None:
    page = manager.http.get("/signalements").text
    form = {"csrf": field(page, "csrf"), "personne": "PractitionerRole/nobody"}
    refused = manager.http.post("/signalements/designer", data=form)
    assert refused.status_code == 400
    assert "Choisissez une personne de la liste." in refused.text
