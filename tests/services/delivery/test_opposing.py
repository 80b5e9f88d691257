"""« La personne s'oppose », recorded without a network: dated when it was said, in force at reception, provisional, once; or shown to a
person."""

import re
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest

from ..running_sandbox import Running
from .telephone import Telephone, person
from .test_tray import cards, decide

pytestmark = pytest.mark.http


def letter(telephone: Telephone, patient: str, act: str, **changes: Any) -> dict[str, Any]:
    form = {"act": [act], "means": ["oral"], **changes.pop("form", {})}
    told = telephone.letter({"patient": patient, "appointment": ""}, kind="opposition", **changes)
    return {**told, "form": form}


def oppositions(territory: Running, patient: str) -> list[dict[str, Any]]:
    found = territory.get(territory.token("gp"), f"Consent?patient=Patient/{patient}&category=opposition").json()
    return [one["resource"] for one in found.get("entry", [])]


@pytest.fixture
def someone(telephone: Telephone, sandbox: Running) -> str:
    """Of the tour, whose doctor reads what is recorded here."""
    for stop in telephone.tour["stops"]:
        found = sandbox.get(sandbox.token("gp"), f"Patient/{stop['patient']}")
        if found.status_code == 200:
            return str(stop["patient"])
    raise AssertionError("nobody of the tour is the doctor's patient")


def test_emergency_access_is_refused_from_its_reception_once_and_provisionally(
    telephone: Telephone, sandbox: Running, someone: str
) -> None:
    said = (telephone.now() - timedelta(hours=1)).replace(microsecond=0)
    told = letter(telephone, someone, "emergency", form={"means": ["paper"]}, written=said.isoformat())
    parcel = telephone.parcel(told)
    receipt = telephone.bring(parcel).json()
    assert receipt["state"] == "filed", receipt
    assert telephone.bring(parcel).json() == receipt
    query = f"Consent?patient=Patient/{someone}&category=emergency-objection"
    found = [one["resource"] for one in sandbox.get(sandbox.token("gp"), query).json()["entry"]]
    [consent] = [one for one in found if any(told["visit"] in known["value"] for known in one.get("identifier", []))]
    assert consent["status"] == "proposed"
    assert datetime.fromisoformat(consent["dateTime"]) == said
    assert consent["performer"][0]["reference"] == person(sandbox, "aide")["practitioner_role"]


@pytest.mark.parametrize(
    ("act", "changes"),
    [("one", {}), ("nothing", {}), ("all", {"means": ["by telepathy"]})],
    ids=["somebody by name", "nothing that is known", "no means"],
)
def test_what_cannot_be_put_in_force_is_shown_to_a_person(
    telephone: Telephone, manager: Telephone, someone: str, act: str, changes: dict[str, Any]
) -> None:
    mark = f"Untel {uuid.uuid4()}"
    told = letter(telephone, someone, act, form={"named": [mark], **changes})
    assert telephone.bring(telephone.parcel(told)).json()["state"] == "checking"
    [card] = cards(manager, mark)
    assert f"/dossiers/{someone}/opposition" in card
    assert "Ranger dans le dossier" not in card
    assert decide(manager, card, "file").status_code == 400
    assert decide(manager, card, "leave", "Notée dans le dossier.").status_code == 303


def test_of_somebody_who_is_not_in_the_permit_nothing_is_closed(telephone: Telephone, sandbox: Running) -> None:
    inside = {stop["patient"] for stop in telephone.tour["stops"]}
    stranger = next(one["id"] for one in sandbox.known["patients"] if one["id"] not in inside)
    told = letter(telephone, stranger, "all")
    assert telephone.bring(telephone.parcel(told)).json()["state"] == "checking"


def to_confirm(manager: Telephone) -> set[str]:
    return set(re.findall(r'action="/oppositions/([^"]+)"', manager.http.get("/oppositions").text))


def test_all_sharing_stops_at_its_reception_however_late_until_the_person_comes_back_on_it(
    telephone: Telephone, manager: Telephone, sandbox: Running
) -> None:
    before = to_confirm(manager)
    token = sandbox.token("home_service_manager")
    patient = next(
        stop["patient"]
        for stop in reversed(telephone.tour["stops"])
        if sandbox.get(token, f"Patient/{stop['patient']}").status_code == 200
    )
    long_ago = (telephone.now() - timedelta(days=5)).isoformat()
    told = letter(telephone, patient, "all", written=long_ago)
    visits = [telephone.letter({"patient": patient, "appointment": ""})]
    assert telephone.bring(telephone.parcel(told)).json()["state"] == "filed"
    visits.append(telephone.letter({"patient": patient, "appointment": ""}))
    # What was written before anybody had recorded it is filed, though it arrives after.
    assert [telephone.bring(telephone.parcel(one)).json()["state"] for one in visits] == ["filed", "checking"]
    assert sandbox.get(token, f"Patient/{patient}").status_code == 404
    assert patient not in {stop["patient"] for stop in telephone.fetch().json()["stops"]}
    [consent] = to_confirm(manager) - before
    recorded = sandbox.get(sandbox.token("dpo"), f"Consent/{consent}").json()["dateTime"]
    assert datetime.fromisoformat(long_ago) < datetime.fromisoformat(recorded) < telephone.now() - timedelta(minutes=30)
    form = {"csrf": manager.csrf, "asked": "yes", "act": "withdraw"}
    assert manager.http.post(f"/oppositions/{consent}", data=form).status_code == 303
    assert sandbox.get(token, f"Patient/{patient}").status_code == 200
