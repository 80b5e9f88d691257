"""What users of other servers reported of batches and transactions, tried here: each test names the reports that it answers."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.http


def sent(client: httpx.Client, type_: str, *entries: dict[str, Any]) -> httpx.Response:
    return client.post("/", json={"resourceType": "Bundle", "type": type_, "entry": entries})


def observation(subject: str, **more: Any) -> dict[str, Any]:
    code = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": code,
        "subject": {"reference": subject},
        **more,
    }


def test_entries_of_a_batch_are_their_senders_own(service: Any, gp: httpx.Client, patient: str) -> None:
    """blaze#641: entries were run without the token of the batch, and answered 401."""
    reads = [
        {"request": {"method": "GET", "url": f"{path}"}} for path in (f"Patient/{patient}", f"Patient?_id={patient}")
    ]
    with service.client("gp_outside") as outside:
        shown, kept = sent(gp, "batch", *reads).json()["entry"], sent(outside, "batch", *reads).json()["entry"]
    assert [one["response"]["status"][:3] for one in shown] == ["200", "200"]
    assert [one["response"]["status"][:3] for one in kept] == ["404", "200"]
    assert (shown[1]["resource"]["total"], kept[1]["resource"]["total"]) == (1, 0)
    tree = {"resourceType": "Bundle", "type": "batch", "entry": reads}
    assert httpx.post(f"{service.fhir}/", json=tree, timeout=60).status_code == 401


def test_large_batches_wait_for_nothing_of_their_own(gp: httpx.Client, service: Any, patient: str) -> None:
    """blaze#2584: entries waited for others that stood behind them in the same queue, for ever."""
    reads = [{"request": {"method": "GET", "url": f"Patient/{patient}"}}] * 250
    tree = {"resourceType": "Bundle", "type": "batch", "entry": reads}
    headers = {"authorization": f"Bearer {service.token('gp')}"}

    def ask(_: int) -> httpx.Response:
        return httpx.post(f"{service.fhir}/", json=tree, headers=headers, timeout=120)

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(ask, range(4)))

    for answer in answers:
        assert [one["response"]["status"][:3] for one in answer.json()["entry"]] == ["200"] * len(reads)


def test_what_was_deleted_is_made_anew_with_its_references(gp: httpx.Client, patient: str) -> None:
    """hapi-fhir#6900: a PUT, in a bundle, of what had been deleted failed with a 409 once it held references. hfs#859: with
    one conditional update, a whole transaction was refused."""
    one, two, value = uuid.uuid4().urn, uuid.uuid4().urn, uuid.uuid4().hex

    def both() -> list[Any]:
        puts = [
            {
                "fullUrl": mine,
                "resource": observation(
                    f"Patient/{patient}",
                    identifier=[{"system": "urn:anew", "value": f"{value}-{mine}"}],
                    hasMember=[{"reference": other}],
                ),
                "request": {"method": "PUT", "url": f"Observation?identifier=urn:anew|{value}-{mine}"},
            }
            for mine, other in ((one, two), (two, one))
        ]
        answer = sent(gp, "transaction", *puts)
        assert answer.status_code == 200, answer.text
        return [found["response"] for found in answer.json()["entry"]]

    first = both()
    assert [found["status"][:3] for found in first] == ["201", "201"]
    places = [found["location"].partition("/fhir")[2].partition("/_history")[0] for found in first]
    for place in places:
        assert gp.delete(place).status_code == 204
    second = both()
    assert [found["status"][:3] for found in second] == ["201", "201"]
    anew = [found["location"].partition("/fhir")[2].partition("/_history")[0] for found in second]
    assert set(anew).isdisjoint(places)
    assert [gp.get(place).json()["hasMember"][0]["reference"] for place in anew] == [anew[1][1:], anew[0][1:]]
    tree = observation(f"Patient/{patient}", id=places[0].rpartition("/")[2])
    refused = sent(gp, "transaction", {"resource": tree, "request": {"method": "PUT", "url": places[0][1:]}})
    assert (refused.status_code, refused.json()["issue"][0]["code"]) == (410, "deleted")
