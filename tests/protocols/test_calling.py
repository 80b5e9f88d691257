"""A call about an alert: what it changes, and what it is in the record."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from liaison.protocols.alerts import Standing, standing
from liaison.protocols.calling import called

PARIS = ZoneInfo("Europe/Paris")
LATE = datetime(2026, 11, 23, 18, tzinfo=PARIS)
MANAGER = {"reference": "PractitionerRole/manager", "display": "Solenn (responsable de secteur)"}
ALERT: dict[str, Any] = {
    "resourceType": "Task",
    "id": "t",
    "status": "requested",
    "for": {"reference": "Patient/1"},
    "owner": {"reference": "PractitionerRole/nurse"},
    "restriction": {"period": {"end": "2026-11-23T14:00:00+01:00"}},
}


def test_whoever_was_told_on_the_telephone_has_seen_it() -> None:
    assert standing(ALERT, LATE) is Standing.OVERDUE

    task, call = called(ALERT, "Task/t", MANAGER, LATE, whom="Dr Le Goff", words="Passe à 19 h.", reached=True)

    assert standing(task, LATE) is Standing.SEEN
    assert task["owner"] == MANAGER
    assert task["note"][-1]["text"] == "Au téléphone avec Dr Le Goff : Passe à 19 h."
    assert (call["status"], call["about"]) == ("completed", [{"reference": "Task/t"}])
    assert call["medium"][0]["coding"][0]["code"] == "PHONE"
    assert call["recipient"] == [{"display": "Dr Le Goff"}]


def test_a_call_without_an_answer_is_kept_and_the_alert_goes_on_waiting() -> None:
    task, call = called(ALERT, "Task/t", MANAGER, LATE, whom="Cabinet", words="", reached=False)

    assert standing(task, LATE) is Standing.OVERDUE
    assert task["owner"] == ALERT["owner"]
    assert task["note"][-1]["text"] == "Appel à Cabinet, sans réponse"
    assert call["status"] == "not-done"


@pytest.mark.parametrize("status", ["in-progress", "completed"])
def test_who_had_seen_it_stays(status: str) -> None:
    seen = {**ALERT, "status": status}

    task, _ = called(seen, "Task/t", MANAGER, LATE, whom="Dr Le Goff", words="", reached=True)

    assert (task["status"], task["owner"]) == (status, ALERT["owner"])
