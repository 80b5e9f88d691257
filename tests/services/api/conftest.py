"""People who call the API, and a weight whose value keeps its digits."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest


@pytest.fixture(scope="module")
def gp(service: Any) -> Iterator[httpx.Client]:
    with service.client("gp") as client:
        yield client


@pytest.fixture(scope="module")
def outside(service: Any) -> Iterator[httpx.Client]:
    with service.client("gp_outside") as client:
        yield client


@pytest.fixture(scope="module")
def auditor(service: Any) -> Iterator[httpx.Client]:
    with service.client("auditor") as client:
        yield client


def named_in_journal(auditor: httpx.Client, patient: str, request_id: str) -> set[str]:
    """The versions ('Observation/x/_history/1') that the journal names on a patient's record for one request."""
    answer = auditor.get(f"/AuditEvent?patient=Patient/{patient}&_count=200")
    assert answer.status_code == 200, answer.text
    events = [entry["resource"] for entry in answer.json().get("entry", [])]
    return {
        one["what"].get("reference", "")
        for event in events
        if any(one.get("what", {}).get("identifier", {}).get("value") == request_id for one in event["entity"])
        for one in event["entity"]
        if "what" in one
    }


@pytest.fixture(scope="module")
def patient(service: Any) -> str:
    made: str = service.patient()
    return made


@pytest.fixture(scope="session")
def weight() -> Callable[..., bytes]:
    """A weight of a patient: weight(patient, "72.50", status="final")."""

    def body(patient: str, value: str = "72.50", **more: Any) -> bytes:
        tree = {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
            "subject": {"reference": f"Patient/{patient}"},
            "effectiveDateTime": "2026-01-31T08:00:00+01:00",
            "valueQuantity": {"value": "VALUE", "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
            **more,
        }
        return json.dumps(tree).replace('"VALUE"', value).encode()

    return body
