"""Requests at the same moment, on two workers: no duplicate, no lost update."""

import json
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.http

AT_ONCE = 24


@pytest.fixture(scope="module")
def headers(service: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {service.token('gp')}", "content-type": "application/fhir+json"}


def flag(patient: str, **more: Any) -> bytes:
    tree = {"resourceType": "Flag", "status": "active", "code": {"text": "essai"}, **more}
    return json.dumps({**tree, "subject": {"reference": f"Patient/{patient}"}}).encode()


def at_once(work: Any) -> list[httpx.Response]:
    """Each on a connection of its own, so that both workers take part."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(work, range(AT_ONCE)))


def test_equal_conditional_creates_make_one_resource(service: Any, headers: dict[str, str]) -> None:
    """MS#1382, hapi-fhir#3141, LFH#2051: several were created, and none could be found by its criteria afterwards."""
    patient, value = service.patient(), str(uuid.uuid4())
    body = flag(patient, identifier=[{"system": "urn:race", "value": value}])
    asked = {**headers, "if-none-exist": f"identifier=urn:race|{value}"}

    answers = at_once(lambda _: httpx.post(f"{service.fhir}/Flag", content=body, headers=asked, timeout=60))

    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: AT_ONCE - 1}
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_one_of_many_updates_of_a_version_succeeds(service: Any, headers: dict[str, str]) -> None:
    patient = service.patient()
    id_ = httpx.post(f"{service.fhir}/Flag", content=flag(patient), headers=headers).json()["id"]

    def update(number: int) -> httpx.Response:
        body = flag(patient, id=id_, code={"text": f"essai {number}"})
        return httpx.put(
            f"{service.fhir}/Flag/{id_}", content=body, headers={**headers, "if-match": 'W/"1"'}, timeout=60
        )

    answers = at_once(update)

    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: AT_ONCE - 1}
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert httpx.get(f"{service.fhir}/Flag/{id_}", headers=headers).json() == won


def test_updates_without_a_version_follow_each_other(service: Any, headers: dict[str, str]) -> None:
    patient = service.patient()
    id_ = httpx.post(f"{service.fhir}/Flag", content=flag(patient), headers=headers).json()["id"]

    def update(number: int) -> httpx.Response:
        return httpx.put(f"{service.fhir}/Flag/{id_}", content=flag(patient, id=id_), headers=headers, timeout=60)

    answers = at_once(update)

    done = [answer for answer in answers if answer.status_code == 200]
    # Who loses too often is told to try again; nobody's change is lost in silence.
    assert {answer.status_code for answer in answers} <= {200, 409}
    versions = sorted(int(answer.json()["meta"]["versionId"]) for answer in done)
    assert versions == list(range(2, len(done) + 2))


def test_equal_transactions_make_one_resource(service: Any, headers: dict[str, str]) -> None:
    patient, value = service.patient(), str(uuid.uuid4())
    entry = {
        "resource": json.loads(flag(patient, identifier=[{"system": "urn:race", "value": value}])),
        "request": {"method": "POST", "url": "Flag", "ifNoneExist": f"identifier=urn:race|{value}"},
    }
    body = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": [entry]}).encode()

    answers = at_once(lambda _: httpx.post(f"{service.fhir}/", content=body, headers=headers, timeout=60))

    assert {answer.status_code for answer in answers} == {200}
    statuses = Counter(answer.json()["entry"][0]["response"]["status"][:3] for answer in answers)
    assert statuses == {"201": 1, "200": AT_ONCE - 1}
