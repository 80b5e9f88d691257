"""The traces as software reads them: the territory's auditor (row 24), the person (row 21) and who represents them (row 22)."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ..running_sandbox import Running

pytestmark = pytest.mark.http
ACTS_FOR = "https://liaison.example/fhir/StructureDefinition/agent-acts-for"


def _id(sandbox: Running, key: str) -> str:
    return next(str(one["id"]) for one in sandbox.known["patients"] if one["key"] == key)


def _found(sandbox: Running, who: str, query: str) -> list[dict[str, Any]]:
    answer = sandbox.get(sandbox.token(who), query)
    assert answer.status_code == 200, answer.text
    return [one["resource"] for one in answer.json().get("entry", [])]


def _moment(text: str) -> datetime:
    """To the minute."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(second=0, microsecond=0)


def test_an_auditor_with_a_convention_reads_the_traces_of_every_structure_and_no_content(sandbox: Running) -> None:
    people = {str(one["key"]): one for one in sandbox.known["people"]}
    events = [
        event
        for who in ("gp_replaced", "nurse", "physio", "pharmacist")
        for event in _found(sandbox, "auditor", f"AuditEvent?agent={people[who]['practitioner']}&_count=5")
    ]
    places = {
        extension["valueReference"]["reference"]
        for event in events
        for agent in event["agent"]
        for extension in agent.get("extension", ())
        if extension["url"].endswith("/agent-organization")
    }
    assert len(places) > 1
    assert people["auditor"]["organization"] not in places
    assert _found(sandbox, "auditor", "AuditEvent?outcome=4&action=R&_count=1")

    tasks = _found(sandbox, "auditor", "Task?code=emergency-access")
    assert tasks
    assert _found(sandbox, "auditor", f"Task?_id={tasks[0]['id']}&status={tasks[0]['status']}") == tasks[:1]
    assert {one["code"]["coding"][0]["system"] for one in _found(sandbox, "auditor", "Task?_count=100")} == {
        "https://liaison.example/fhir/CodeSystem/review"
    }
    assert _found(sandbox, "auditor", "Consent?_count=5")
    for type_ in ("Patient", "Observation", "Condition", "Encounter", "DocumentReference", "Communication"):
        assert _found(sandbox, "auditor", f"{type_}?_count=5") == []


def test_a_person_and_their_guardian_find_who_opened_the_record(sandbox: Running) -> None:
    for who, key, reader in (("patient_a", "patient_a", "pharmacist"), ("guardian", "guarded", "nurse")):
        person = next(one for one in sandbox.known["people"] if one["key"] == reader)["practitioner"]
        found = _found(sandbox, who, f"AuditEvent?entity=Patient/{_id(sandbox, key)}&agent={person}")
        assert found
        for event in found:
            assert event["agent"][0]["who"]["reference"] == person
            assert all("network" not in agent for agent in event["agent"] if agent["requestor"])
        assert _found(sandbox, who, f"AuditEvent?patient={_id(sandbox, 'bpco_04')}") == []
        about = {
            one["what"]["reference"]
            for event in _found(sandbox, who, "AuditEvent?_count=200")
            for one in event["entity"]
            if one.get("role", {}).get("code") == "1"
        }
        assert about == {f"Patient/{_id(sandbox, key)}"}


def test_a_substitute_is_told_with_whom_they_replace(sandbox: Running) -> None:
    known = {one["key"]: one["practitioner"] for one in sandbox.known["people"] if one.get("practitioner")}
    record = _id(sandbox, "bpco_07")
    assert sandbox.get(sandbox.token("substitute_active"), f"Patient/{record}").status_code == 200
    [event] = _found(sandbox, "auditor", f"AuditEvent?patient={record}&agent={known['substitute_active']}&_count=1")
    told = {one["url"]: one for one in event["agent"][0]["extension"]}
    assert told[ACTS_FOR]["valueReference"]["reference"] == known["gp_replaced"]


def test_the_emergency_access_to_be_reviewed_is_in_the_journal_with_what_it_read(sandbox: Running) -> None:
    """What the auditor is led to from « À revoir », and the person's own list."""
    record, doctor = _id(sandbox, "emergency_review"), next(
        one["practitioner"] for one in sandbox.known["people"] if one["key"] == "on_call_doctor"
    )  # fmt: skip
    found = _found(sandbox, "auditor", f"AuditEvent?patient=Patient/{record}&agent={doctor}&purpose=ETREAT")
    opened = _found(sandbox, "auditor", f"AuditEvent?patient=Patient/{record}&agent={doctor}&subtype=110127")
    read = {entity["type"]["code"] for one in found for entity in one["entity"] if entity["what"]["reference"]}

    [task] = [
        one for one in _found(sandbox, "auditor", "Task?code=emergency-access") if record in one["for"]["reference"]
    ]
    assert {"Condition", "MedicationRequest"} <= read
    assert [_moment(one["recorded"]) for one in opened] == [_moment(task["authoredOn"])]
