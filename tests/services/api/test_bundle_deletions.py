"""What a transaction deletes, and criteria. R4 http.html#trules: DELETE, POST, PUT and PATCH, GET, then conditional references."""

import uuid
from typing import Any

import httpx
import pytest

from .bundles import entry, observation, send

pytestmark = pytest.mark.http


def identified(gp: httpx.Client, patient: str, value: str, type_: str = "Observation", count: int = 1) -> list[str]:
    """The ids of resources that are alike."""
    body = observation(f"Patient/{patient}")
    if type_ == "Encounter":
        kind = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}
        body = {"resourceType": type_, "status": "finished", "class": kind, "subject": body["subject"]}
    body["identifier"] = [{"system": "urn:test", "value": value}]
    return [gp.post(f"/{type_}", json=body).json()["id"] for _ in range(count)]


def both_ways(gp: httpx.Client, *entries: dict[str, Any]) -> httpx.Response:
    """The order of the entries changes nothing: what is refused in one is refused in the other."""
    answer = send(gp, "transaction", *entries)
    if answer.status_code != 200:
        assert send(gp, "transaction", *reversed(entries)).status_code == answer.status_code
    return answer


@pytest.mark.parametrize("deleted_by", ["id", "criteria"])
@pytest.mark.parametrize("last", [True, False], ids=["named last", "named first"])
def test_what_is_deleted_does_not_match_a_conditional_create(
    gp: httpx.Client, patient: str, deleted_by: str, last: bool
) -> None:
    value = str(uuid.uuid4())
    [old] = identified(gp, patient, value)
    criteria = f"identifier=urn:test|{value}"
    url = f"Observation/{old}" if deleted_by == "id" else f"Observation?{criteria}"
    delete = {"request": {"method": "DELETE", "url": url}}
    body = observation(f"Patient/{patient}", identifier=[{"system": "urn:test", "value": value}])
    entries = [entry(body, ifNoneExist=criteria), delete]

    answer = send(gp, "transaction", *(entries if last else reversed(entries)))

    assert answer.status_code == 200, answer.text
    assert {one["response"]["status"][:3] for one in answer.json()["entry"]} == {"201", "204"}
    found = gp.get("/Observation", params={"identifier": f"urn:test|{value}"}).json()["entry"]
    assert [one["resource"]["id"] for one in found] != [old]
    assert len(found) == 1
    assert gp.get(f"/Observation/{old}").status_code == 410


def test_what_is_left_matches_a_conditional_create(gp: httpx.Client, patient: str) -> None:
    value = str(uuid.uuid4())
    old, older, kept = identified(gp, patient, value, count=3)
    body = observation(f"Patient/{patient}", identifier=[{"system": "urn:test", "value": value}])
    once = entry(body, ifNoneExist=f"identifier=urn:test|{value}")
    deletes = [{"request": {"method": "DELETE", "url": f"Observation/{one}"}} for one in (old, older)]

    assert both_ways(gp, once, deletes[0]).status_code == 412, "two are left"
    answer = both_ways(gp, once, *deletes)

    assert answer.status_code == 200, answer.text
    assert answer.json()["entry"][0]["response"]["status"].startswith("200")
    assert answer.json()["entry"][0]["resource"]["id"] == kept


def test_what_is_left_is_what_a_conditional_reference_names(gp: httpx.Client, patient: str) -> None:
    value = str(uuid.uuid4())
    old, kept = identified(gp, patient, value, "Encounter", count=2)
    named = {"reference": f"Encounter?identifier=urn:test|{value}"}
    naming = entry(observation(f"Patient/{patient}", encounter=named))
    assert send(gp, "transaction", naming).status_code == 422, "both match"

    answer = both_ways(gp, naming, {"request": {"method": "DELETE", "url": f"Encounter/{old}"}})

    assert answer.status_code == 200, answer.text
    assert answer.json()["entry"][0]["resource"]["encounter"]["reference"] == f"Encounter/{kept}"
    refused = both_ways(gp, naming, {"request": {"method": "DELETE", "url": f"Encounter/{kept}"}})
    assert refused.status_code == 422
    assert gp.get(f"/Encounter/{kept}").status_code == 200


@pytest.mark.parametrize("deleted_by", ["id", "criteria"])
def test_what_is_deleted_is_not_updated_by_criteria(gp: httpx.Client, patient: str, deleted_by: str) -> None:
    """'If any resource identities (including resolved identities from conditional update/delete) overlap … SHALL fail.'"""
    value = str(uuid.uuid4())
    [old] = identified(gp, patient, value)
    criteria = f"identifier=urn:test|{value}"
    url = f"Observation/{old}" if deleted_by == "id" else f"Observation?{criteria}"
    body = observation(f"Patient/{patient}", identifier=[{"system": "urn:test", "value": value}])

    update = {"resource": body, "request": {"method": "PUT", "url": f"Observation?{criteria}"}}
    answer = both_ways(gp, update, {"request": {"method": "DELETE", "url": url}})

    assert answer.status_code == 400
    assert "about the same resource" in answer.json()["issue"][0]["diagnostics"]
    assert gp.get(f"/Observation/{old}").json()["meta"]["versionId"] == "1"
