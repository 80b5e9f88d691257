"""A stay in hospital: the manager confirms it, visits pause, alerts close; an aide says that the person is home again, and the seven
days are dated."""

import html
import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from liaison.services.pages.clock import PARIS

from ..oauth.conftest import field
from ..pages.browsing import text
from ..running_sandbox import Running
from .telephone import Telephone, person

pytestmark = pytest.mark.http
VISIT = "https://liaison.example/fhir/id/visit"
STEP = "https://liaison.example/fhir/CodeSystem/protocol-step|after-stay-7-days"


def send(desk: Telephone, patient: str, act: str, day: str) -> Any:
    path = f"/service/sejour/{patient}"
    page = desk.http.get(path).text
    return desk.http.post(path, data={"csrf": field(page, "csrf"), "acte": act, "jour": day})


def of(desk: Telephone, patient: str) -> str:
    """Under which heading the desk leads to the stay of this person, '' where it does not."""
    before, link, _after = desk.http.get("/service").text.partition(f"/service/sejour/{patient}")
    return html.unescape(re.findall(r"<h2[^>]*>([^<]*)</h2>", before)[-1]) if link else ""


def found(sandbox: Running, query: str) -> list[dict[str, Any]]:
    bundle = sandbox.get(sandbox.token("gp"), query).json()
    return [one["resource"] for one in bundle.get("entry", []) if one.get("search", {}).get("mode") == "match"]


def test_visits_pause_alerts_close_and_the_seven_days_are_dated(
    telephone: Telephone, manager: Telephone, sandbox: Running
) -> None:
    stop = telephone.someone
    patient, today = stop["patient"], datetime.now(PARIS)
    kind = {"system": "https://liaison.example/fhir/CodeSystem/home-care", "code": "visit"}
    line: dict[str, Any] = {
        "resourceType": "Appointment",
        "status": "booked",
        "participant": [
            {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"},
            {"actor": {"reference": person(sandbox, "aide")["practitioner_role"]}, "status": "accepted"},
        ],
    }
    elsewhere = {
        **line,
        "participant": [
            line["participant"][0],
            {"actor": {"reference": person(sandbox, "nurse")["practitioner_role"]}, "status": "accepted"},
        ],
    }
    offers = found(sandbox, "HealthcareService?name=Aide%20%C3%A0%20domicile")[0]["id"]
    of_service = {"actor": {"reference": f"HealthcareService/{offers}"}, "status": "needs-action"}
    nobodys = {**line, "participant": [line["participant"][0], of_service]}
    lines = {
        "elsewhere": elsewhere,
        "nobody-yet": nobodys,
        "elsewhere-for-it": {**line, "participant": [*elsewhere["participant"], of_service]},
    }
    days_to = {"visit": 1, "visit-short": 2, "visit-breath": 2, "untold": 2, "nobody-yet": 2}
    days_to |= {"elsewhere": 3, "elsewhere-for-it": 3}
    coming = [
        sandbox.post(
            sandbox.token("home_service_manager"),
            "Appointment",
            {
                **lines.get(code, line),
                **({"serviceType": [{"coding": [{**kind, "code": code}]}]} if code.startswith("visit") else {}),
                "start": (today + timedelta(days=days)).isoformat(timespec="seconds"),
                "end": (today + timedelta(days=days, minutes=30)).isoformat(timespec="seconds"),
            },
        ).json()["id"]
        for code, days in days_to.items()
    ]
    *coming, nurses, nurses_for_it = coming
    for hours in range(1, 6):  # by a clock that was wrong, and before the stay: none of it says that it is over
        seen = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{**kind, "code": "presence"}]},
            "subject": {"reference": f"Patient/{patient}"},
            "effectiveDateTime": (today + timedelta(hours=hours)).isoformat(timespec="seconds"),
            "valueCodeableConcept": {"coding": [{**kind, "code": "present"}]},
        }
        assert sandbox.post(sandbox.token("nurse"), "Observation", seen).status_code == 201
    letter = telephone.letter(stop, form={"presence": ["hospitalised"], "alert": ["alert-worry"]})
    assert telephone.bring(telephone.parcel(letter)).json()["state"] == "filed"
    assert of(manager, patient) == "Hospitalisations à confirmer"

    assert "Donnez le jour" in text(send(manager, patient, "entree", ""))
    assert send(manager, patient, "entree", f"{today:%Y-%m-%d}").status_code == 303

    assert found(sandbox, f"Task?patient={patient}&code=RED,ORANGE,YELLOW&status=requested,in-progress") == []
    closed = found(sandbox, f"Task?patient={patient}&business-status=hospitalised")
    assert closed
    flags = found(sandbox, f"Flag?patient={patient}&_count=100")
    [flag] = [one for one in flags if "Hospital" in one["code"]["text"]]
    assert flag["status"] == "active"
    for one in coming:
        visit = sandbox.get(sandbox.token("gp"), f"Appointment/{one}").json()
        assert (visit["status"], visit["cancelationReason"]["text"]) == ("cancelled", "Hospitalisation")
    for one in (nurses, nurses_for_it):
        assert sandbox.get(sandbox.token("gp"), f"Appointment/{one}").json()["status"] == "booked"
    # They pass to whoever replaces the aide, paused as they are.
    absent = re.search(
        rf'value="(-?\d+)"[^>]*>{person(sandbox, "aide")["name"]}<', manager.http.get("/equipe/tournee").text
    )
    assert absent is not None
    days = f"debut={today:%Y-%m-%d}&fin={today + timedelta(days=3):%Y-%m-%d}"
    assert "annulé : Hospitalisation" in text(manager.http.get(f"/equipe/tournee?de={absent[1]}&{days}"))
    # From there the discharge is confirmed, all the more once an aide has found the person at home.
    assert of(manager, patient) == "À l'hôpital en ce moment"
    seen_at_home, said = "confirmez la sortie", "Sortie annoncée"
    assert telephone.fetch().status_code == 200
    [paused] = [one for one in telephone.tour["stops"] if one["appointment"] == coming[0]]
    assert paused["paused"]
    assert seen_at_home not in (page := text(manager.http.get("/service"))) and said not in page
    out = telephone.parcel(telephone.letter(paused, kind="return"))
    assert telephone.bring(out).json()["state"] == "filed"
    assert telephone.bring(out).json()["state"] == "filed"
    [told] = found(sandbox, f"Observation?identifier={VISIT}%7C{out['visit']}%23home-again")
    assert (told["valueCodeableConcept"]["text"], "encounter" in told) == ("Sorti(e), de retour à la maison", False)
    assert found(sandbox, f"Provenance?target=Observation/{told['id']}")[0]["agent"][0]["who"] == told["performer"][0]
    assert said in text(manager.http.get("/service"))
    # Nothing resumes before the manager says so.
    assert sandbox.get(sandbox.token("gp"), f"Appointment/{coming[0]}").json()["status"] == "cancelled"
    assert telephone.bring(telephone.parcel(telephone.letter(stop))).json()["state"] == "filed"
    assert seen_at_home in text(manager.http.get("/service"))

    left = send(manager, patient, "sortie", f"{today:%Y-%m-%d}")
    assert "La sortie est confirmée : les visites reprennent" in text(manager.http.get(left.headers["location"]))

    assert sandbox.get(sandbox.token("gp"), f"Flag/{flag['id']}").json()["status"] == "inactive"
    for one in coming:
        visit = sandbox.get(sandbox.token("gp"), f"Appointment/{one}").json()
        assert visit["status"] == "booked"
        assert "cancelationReason" not in visit
    assert of(manager, patient) == ""
    steps = found(sandbox, f"Task?patient={patient}&code={STEP}&status=requested,received,accepted")
    assert {one["restriction"]["period"]["end"] for one in steps} == {f"{today + timedelta(days=7):%Y-%m-%d}"}
    # In hospital once more: that is another stay.
    again = telephone.letter(stop, form={"presence": ["hospitalised"]})
    assert telephone.bring(telephone.parcel(again)).json()["state"] == "filed"
    assert of(manager, patient) == "Hospitalisations à confirmer"
    assert said not in text(manager.http.get("/service"))
    # Home before anybody confirmed that, told from the page: the return alone is, and nothing pauses.
    said_online = telephone.http.post(f"/aujourdhui/retour/{patient}", data={"csrf": telephone.csrf})
    assert "Sorti(e) : c'est envoyé" in text(telephone.http.get(said_online.headers["location"]))
    assert f"{said} : confirmez-la" in text(manager.http.get("/service"))
    assert send(manager, patient, "retour", f"{today:%Y-%m-%d}").status_code == 303
    assert of(manager, patient) == ""
    assert sandbox.get(sandbox.token("gp"), f"Appointment/{coming[0]}").json()["status"] == "booked"


def test_a_return_that_the_permit_does_not_cover_waits_and_leads_to_the_discharge(
    telephone: Telephone, manager: Telephone, sandbox: Running
) -> None:
    stop, other = telephone.someone, Telephone(telephone.http, tour=telephone.tour, csrf=telephone.csrf)
    late = (datetime.now(PARIS) - timedelta(days=4)).isoformat()
    for phone, changes in ((other, {}), (telephone, {"written": late}), (telephone, {"patient": "nobody"})):
        letter = phone.letter(stop, kind="return", **changes)
        assert phone.bring(phone.parcel(letter)).json()["state"] == "checking"
        assert found(sandbox, f"Observation?identifier={VISIT}%7C{letter['visit']}%23home-again") == []
    shown = manager.http.get("/a-verifier").text
    assert "Sorti(e), de retour à la maison" in shown
    assert f'href="/service/sejour/{stop["patient"]}">Confirmer la sortie' in shown
