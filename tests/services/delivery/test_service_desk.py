"""« Le service »: the manager sees the alerts with their age and the visits that have not come, and records her calls."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from ..oauth.conftest import field
from ..pages.browsing import text
from ..running_sandbox import Running
from .telephone import Telephone, person

pytestmark = pytest.mark.http
LEVEL = "https://liaison.example/fhir/CodeSystem/alert-level|"


def raised(telephone: Telephone, sandbox: Running, **form: Any) -> list[dict[str, Any]]:
    """The open alerts of the person, once a visit with these signs has come, the newest first."""
    letter = telephone.letter(telephone.someone, form=form)
    assert telephone.bring(telephone.parcel(letter)).json()["state"] == "filed"
    query = f"Task?patient={letter['patient']}&code={LEVEL}&status=requested,in-progress&_sort=-authored-on&_count=50"
    return [one["resource"] for one in sandbox.get(sandbox.token("gp"), query).json().get("entry", [])]


def send(desk: Telephone, task: str, act: str, **form: str) -> str:
    page = desk.http.get(f"/service/alertes/{task}")
    assert page.status_code == 200
    answer = desk.http.post(f"/service/alertes/{task}/{act}", data={"csrf": field(page.text, "csrf"), **form})
    return text(desk.http.get(answer.headers["location"]) if answer.status_code == 303 else answer)


def test_a_call_about_an_alert_is_recorded_and_clinicians_find_it(
    telephone: Telephone, manager: Telephone, sandbox: Running
) -> None:
    [alert, *_] = raised(telephone, sandbox, fall=["fall-unhurt"])
    assert f"/service/alertes/{alert['id']}" in manager.http.get("/service").text

    assert "Dites qui vous avez appelé" in send(manager, alert["id"], "appel", qui="", joint="oui")
    page = send(manager, alert["id"], "appel", qui="Dr Guillemot", joint="non", dit="")
    assert "Appel à Dr Guillemot, sans réponse" in page
    page = send(manager, alert["id"], "appel", qui="Dr Guillemot", joint="oui", dit="Elle passe ce soir.")
    assert "Au téléphone avec Dr Guillemot : Elle passe ce soir." in page

    calls = sandbox.get(sandbox.token("gp"), f"Communication?subject={alert['for']['reference']}&category=call").json()
    found = [
        one["resource"] for one in calls["entry"] if one["resource"]["about"][0]["reference"] == f"Task/{alert['id']}"
    ]
    assert {one["status"] for one in found} == {"completed", "not-done"}
    task = sandbox.get(sandbox.token("gp"), f"Task/{alert['id']}").json()
    assert task["status"] == "in-progress"
    assert task["owner"]["reference"] == person(sandbox, "home_service_manager")["practitioner_role"]


def test_an_alert_is_closed_with_a_reason_and_never_without(
    telephone: Telephone, manager: Telephone, sandbox: Running
) -> None:
    [alert, *_] = raised(telephone, sandbox, alert=["alert-house"])

    assert "Choisissez pourquoi" in send(manager, alert["id"], "cloture", motif="")
    send(manager, alert["id"], "cloture", motif="settled")

    task = sandbox.get(sandbox.token("gp"), f"Task/{alert['id']}").json()
    assert (task["status"], task["businessStatus"]["coding"][0]["code"]) == ("completed", "settled")
    assert f"/service/alertes/{alert['id']}" not in manager.http.get("/service").text


def test_the_same_sign_noticed_by_two_people_is_one_alert(
    telephone: Telephone, manager: Telephone, sandbox: Running
) -> None:
    before = raised(telephone, sandbox, mood=["mood-sad"])
    path = f"/visite/{telephone.someone['patient']}"
    page = manager.http.get(path).text
    start = page.split('id="start"')[1].split('value="')[1].split('"')[0]
    form = {"csrf": field(page, "csrf"), "visit": field(page, "visit"), "appointment": "", "start": start}
    said = {"presence": "present", "mood": "mood-sad", "skin": "skin-yes"}
    assert manager.http.post(path, data={**form, **said}).status_code == 303
    query = f"Task?patient={telephone.someone['patient']}&code={LEVEL}&status=requested,in-progress&_count=50"
    after = [one["resource"] for one in sandbox.get(sandbox.token("gp"), query).json()["entry"]]

    sad = [one for one in after if "triste" in one["description"]]
    assert len(sad) == 1 <= len(before)
    assert "Rougeur de la peau" in sad[0]["description"]
    assert any(note["text"] == "Signalé de nouveau" for note in sad[0]["note"])

    with httpx.Client(base_url=str(sandbox.known["issuer"]), timeout=60) as http:
        doctor = Telephone(http)
        doctor.sign_in(person(sandbox, "gp"))
        answer = {"csrf": doctor.csrf, "instruction": "Je passe ce soir."}
        about = f"/dossiers/{telephone.someone['patient']}/alertes/{sad[0]['id']}"
        assert http.post(about, data=answer).status_code == 303
    told = sandbox.get(
        sandbox.token("gp"), f"Communication?patient={telephone.someone['patient']}&_sort=-sent&_count=50"
    )
    to = {
        one["resource"]["recipient"][0]["reference"]
        for one in told.json()["entry"]
        if {"reference": f"Task/{sad[0]['id']}"} in one["resource"].get("about", ())
        and one["resource"]["payload"][0]["contentString"] == "Vu. Je passe ce soir."
    }
    assert to == {person(sandbox, who)["practitioner_role"] for who in ("aide", "home_service_manager")}


def test_a_visit_of_which_nothing_has_come_after_a_day_is_named(
    telephone: Telephone, manager: Telephone, sandbox: Running
) -> None:
    patient, aide = telephone.someone["patient"], person(sandbox, "aide")["practitioner_role"]
    for hours, what in ((50, "Passage perdu"), (20, "Passage d'hier")):
        start = datetime.now(UTC) - timedelta(hours=hours)
        line = {
            "resourceType": "Appointment",
            "status": "booked",
            "description": what,
            "start": start.isoformat(timespec="seconds"),
            "end": (start + timedelta(minutes=30)).isoformat(timespec="seconds"),
            "participant": [
                {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"},
                {"actor": {"reference": aide, "display": f"Aide ({what})"}, "status": "accepted"},
            ],
        }
        assert sandbox.post(sandbox.token("home_service_manager"), "Appointment", line).status_code == 201

    missing = text(manager.http.get("/service")).partition("Pas arrivées après 24 heures")[2]
    assert "Aide (Passage perdu)" in missing
    assert "Aide (Passage d'hier)" not in missing


def test_the_desk_is_the_manager_s_alone(telephone: Telephone) -> None:
    for path in ("/service", "/service/rien-a-signaler", "/service/alertes/x"):
        assert telephone.http.get(path).status_code == 404
