"""A narrative outside the XHTML subset of FHIR is cleaned, and whoever asks is told."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.http
WISH = {"prefer": "return=OperationOutcome"}


@pytest.fixture(scope="module")
def gp(service: Any) -> Iterator[httpx.Client]:
    with service.client("gp") as client:
        yield client


def observation(patient: str, div: str, **more: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "text": {"status": "additional", "div": div},
        **more,
    }


def issues(answer: httpx.Response) -> list[tuple[str, list[str]]]:
    return [(issue["severity"], issue.get("expression", [])) for issue in answer.json()["issue"]]


def test_a_narrative_that_was_cleaned_is_told_to_who_asks(gp: httpx.Client, service: Any) -> None:
    patient = service.patient()
    clean, scripted = "<div>Calme</div>", "<div>Calme<script>fetch('x')</script></div>"

    silent = gp.post("/Observation", json=observation(patient, clean), headers=WISH)
    assert issues(silent) == [("information", [])]
    told = gp.post("/Observation", json=observation(patient, scripted), headers=WISH)
    assert (told.status_code, issues(told)) == (201, [("warning", ["Observation.text"])])
    id_ = told.headers["location"].split("/")[-3]
    assert gp.get(f"/Observation/{id_}").json()["text"]["div"].endswith(">Calme</div>")
    changed = gp.put(f"/Observation/{id_}", json=observation(patient, scripted, id=id_), headers=WISH)
    assert (changed.status_code, issues(changed)) == (200, [("warning", ["Observation.text"])])
