"""« À vérifier »: whoever runs the service empties it; nothing that a telephone brought is lost, and nothing is doubled."""

import re
from typing import Any

import httpx
import pytest

from liaison.services.pages.reading.written import text_of

from ..oauth.conftest import field
from ..pages.browsing import text
from ..running_sandbox import Running
from .telephone import Telephone, person
from .test_bringing import encounters

pytestmark = pytest.mark.http
NOTE = "Un mot que personne d'autre n'a écrit."


def cards(desk: Telephone, note: str) -> list[str]:
    """The cards of the tray that hold these words."""
    page = desk.http.get("/a-verifier")
    assert page.status_code == 200
    return [card for card in page.text.split('<li class="liaison-card">')[1:] if note in card.replace("&#39;", "'")]


def decide(desk: Telephone, card: str, decision: str, why: str = "") -> httpx.Response:
    form = {"csrf": field(card, "csrf"), "one": field(card, "one"), "decision": decision, "why": why}
    return desk.http.post("/a-verifier", data=form)


def late_told(telephone: Telephone, note: str = NOTE, **form: Any) -> dict[str, Any]:
    """A visit that the tray has to take: the permit is of somebody else's tour."""
    letter = telephone.letter(telephone.someone, permit="AAAA", form={"note": [note], **form})
    assert telephone.bring(telephone.parcel(letter)).json()["state"] == "checking"
    return letter


def test_it_is_filed_in_the_record_once_with_both_names(
    telephone: Telephone, manager: Telephone, sandbox: Running
) -> None:
    late_told(telephone)
    [card] = cards(manager, NOTE)
    assert "tournée de notre service" in card
    assert decide(manager, card, "file").status_code == 303
    assert decide(manager, card, "file").status_code == 303  # the second touch does nothing
    assert cards(manager, NOTE) == []
    found = sandbox.get(
        sandbox.token("home_service_manager"), "DocumentReference?type=visit-note&_sort=-_lastUpdated&_count=50"
    ).json()["entry"]
    notes = [one["resource"] for one in found if text_of(one["resource"]) == NOTE]
    assert len(notes) == 1
    [response] = sandbox.get(
        sandbox.token("home_service_manager"),
        f"QuestionnaireResponse?encounter={notes[0]['context']['encounter'][0]['reference']}",
    ).json()["entry"]
    assert response["resource"]["author"]["reference"] == person(sandbox, "home_service_manager")["practitioner_role"]


@pytest.mark.parametrize("written", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"], ids=["first", "last"])
def test_an_hour_of_no_calendar_of_ours_leaves_the_tray_open(
    telephone: Telephone, manager: Telephone, written: str
) -> None:
    letter = telephone.letter(telephone.someone, written=written)

    assert telephone.bring(telephone.parcel(letter)).json()["state"] == "checking"

    assert manager.http.get("/a-verifier").status_code == 200


def test_it_is_left_aside_with_a_reason_and_never_without(telephone: Telephone, manager: Telephone) -> None:
    note = "Un autre mot."
    late_told(telephone, note)
    [card] = cards(manager, note)
    refused = decide(manager, card, "leave")
    assert refused.status_code == 400
    assert "Dites pourquoi" in text(refused)
    [card] = cards(manager, note)
    assert decide(manager, card, "leave", "Envoyée deux fois.").status_code == 303
    assert cards(manager, note) == []


def test_a_visit_whose_answers_do_not_fit_is_shown_as_it_was_typed_and_written_in_its_place(
    telephone: Telephone, manager: Telephone
) -> None:
    note = "Un poids impossible."
    letter = telephone.letter(telephone.someone, form={"note": [note], "weight": ["6120"]})
    assert telephone.bring(telephone.parcel(letter)).json()["state"] == "checking"
    [card] = cards(manager, note)
    assert "6120" in card
    assert "Écrire la visite à sa place" in card
    assert "Ranger dans le dossier" not in card
    assert decide(manager, card, "file").status_code == 400
    assert decide(manager, card, "leave", "Écrite à la main.").status_code == 303


def test_of_somebody_whose_record_is_not_open_nothing_is_shown(
    telephone: Telephone, manager: Telephone, sandbox: Running
) -> None:
    note = "Ce que le service n'a pas à lire."
    theirs = {one["resource"]["id"] for one in sandbox.get(
        sandbox.token("home_service_manager"), "Patient?_count=200").json()["entry"]}  # fmt: skip
    stranger = next(one["id"] for one in sandbox.known["patients"] if one["id"] not in theirs)
    letter = telephone.letter({"patient": stranger, "appointment": ""}, form={"note": [note]})
    assert telephone.bring(telephone.parcel(letter)).json()["state"] == "checking"
    page = manager.http.get("/a-verifier").text
    assert note not in page.replace("&#39;", "'")
    assert "dont le dossier ne vous est pas ouvert" in page
    handle = next(one for one in re.findall(r'name="one" value="([^"]+)"', page) if one.startswith(letter["visit"]))
    csrf = field(page, "csrf")
    assert manager.http.post("/a-verifier", data={"csrf": csrf, "one": handle, "decision": "file"}).status_code == 400
    assert encounters(sandbox, letter["visit"]) == []


def test_another_service_and_an_aide_have_no_such_tray(telephone: Telephone, sandbox: Running) -> None:
    late_told(telephone, "Pour ce service seul.")
    assert telephone.http.get("/a-verifier").status_code == 404
    with httpx.Client(base_url=str(sandbox.known["issuer"]), timeout=60) as http:
        gp = Telephone(http)
        page = http.get("/connexion").text
        doctor = person(sandbox, "gp")
        form = {name: field(page, name) for name in ("csrf", "suite")}
        http.post("/connexion", data={**form, "identifiant": doctor["username"], "secret": doctor["password"]})
        assert gp.http.get("/a-verifier").status_code == 404


def test_what_is_shown_of_somebody_is_an_access(telephone: Telephone, manager: Telephone, sandbox: Running) -> None:
    note = "Une trace de plus."
    letter = late_told(telephone, note)
    before = sandbox.get(
        sandbox.token("auditor"), f"AuditEvent?patient=Patient/{letter['patient']}&_summary=count"
    ).json()["total"]
    assert cards(manager, note)
    after = sandbox.get(
        sandbox.token("auditor"), f"AuditEvent?patient=Patient/{letter['patient']}&_summary=count"
    ).json()["total"]
    assert after > before
