"""A search parameter that an administrator adds: on every worker, without a restart, until it is retired."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.http

URL = "https://liaison.test/SearchParameter/walking-aid"
PARAMETER = {
    "resourceType": "SearchParameter",
    "url": URL,
    "name": "WalkingAid",
    "status": "active",
    "description": "What somebody walks with",
    "code": "walking-aid",
    "base": ["Flag"],
    "type": "token",
    "expression": "Flag.extension.where(url = 'https://liaison.test/aid').value.ofType(Coding)",
}
QUERY = "/Flag?walking-aid=stick"
ASKED = 12  # enough that both workers answer


def flag(patient: str, aid: str) -> dict[str, Any]:
    return {
        "resourceType": "Flag",
        "status": "active",
        "code": {"text": "Marche"},
        "subject": {"reference": f"Patient/{patient}"},
        "extension": [{"url": "https://liaison.test/aid", "valueCoding": {"code": aid}}],
    }


def answers(service: Any, query: str = QUERY) -> list[httpx.Response]:
    """Over new connections, which the kernel gives to the workers in turn."""
    found = []
    for _ in range(ASKED):
        with service.client("gp") as gp:
            found.append(gp.get(query))
    return found


def until(service: Any, holds: Callable[[httpx.Response], bool]) -> None:
    """Asks until it holds: what a worker knows cannot be waited for from outside."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with service.client("gp") as gp:
            if holds(gp.get(QUERY)):
                return
        time.sleep(0.1)
    raise AssertionError("it did not become so")


def ids(response: httpx.Response) -> set[str]:
    return {entry["resource"]["id"] for entry in response.json().get("entry", ())}


def test_one_searches_by_it_on_every_worker_until_it_is_retired(service: Any) -> None:
    patient = service.patient()
    with service.client("gp") as gp, service.client("admin") as admin:
        before = gp.post("/Flag", json=flag(patient, "stick")).json()["id"]
        gp.post("/Flag", json=flag(patient, "frame"))
        assert {one.status_code for one in answers(service)} == {400}

        made = admin.post("/SearchParameter", json=PARAMETER)
        assert made.status_code == 201, made.text
        after = gp.post("/Flag", json=flag(patient, "stick")).json()["id"]
        for one in answers(service):  # either not yet, and then it says so; or whole
            assert ids(one) == {before, after} if one.status_code == 200 else "is being indexed" in one.text

        until(service, lambda one: one.status_code == 200)
        assert [ids(one) for one in answers(service)] == [{before, after}] * ASKED
        assert {
            one.status_code for one in answers(service, f"/Patient?_id={patient}&_has:Flag:patient:walking-aid=x")
        } == {200}
        stated = [one.text.count(URL) for one in answers(service, "/metadata")]
        assert stated == [1] * ASKED

        link = gp.get(f"{QUERY}&_count=1").json()["link"]
        [following] = [f"/Flag{one['url'].partition('/Flag')[2]}" for one in link if one["relation"] == "next"]
        assert {one.status_code for one in answers(service, following)} == {200}

        where = f"/SearchParameter/{made.json()['id']}"
        assert admin.put(where, json={**made.json(), "status": "retired"}).status_code == 200
        assert {one.status_code for one in answers(service)} == {400}
        assert {one.status_code for one in answers(service, following)} == {410}
        assert URL not in admin.get("/metadata").text


def test_only_an_administrator_adds_one_and_a_wrong_one_is_refused(service: Any) -> None:
    wrong = {**PARAMETER, "code": "encounter", "expression": "Flag.colour"}
    with service.client("gp") as gp, service.client("admin") as admin:
        assert gp.post("/SearchParameter", json=PARAMETER).status_code in (403, 404)
        refused = admin.post("/SearchParameter", json=wrong)
        told = admin.post("/SearchParameter/$validate", json=wrong)

    assert refused.status_code == 422
    said = {issue["expression"][0]: issue["diagnostics"] for issue in refused.json()["issue"]}
    assert "search parameter of R4 for Flag" in said["SearchParameter.code"]
    assert "Flag has no element colour" in said["SearchParameter.expression"]
    assert {issue["diagnostics"] for issue in told.json()["issue"]} == set(said.values())
