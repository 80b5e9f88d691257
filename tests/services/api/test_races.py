"""Requests at the same moment, on two workers: no duplicate, no lost update."""

import json
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
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
    """MS#1382, hapi-fhir#3141, hapi-fhir#4597, LFH#2051, medplum#4878: several were
    created, and none could be found by its criteria afterwards."""
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
    """hapi-fhir#4690: two took the same version number, and one of them was refused."""
    patient = service.patient()
    id_ = httpx.post(f"{service.fhir}/Flag", content=flag(patient), headers=headers).json()["id"]

    def update(number: int) -> httpx.Response:
        return httpx.put(f"{service.fhir}/Flag/{id_}", content=flag(patient, id=id_), headers=headers, timeout=60)

    answers = at_once(update)

    # Who lost waits for its turn: nobody is refused, and nobody's change is lost in silence.
    assert {answer.status_code for answer in answers} == {200}
    versions = sorted(int(answer.json()["meta"]["versionId"]) for answer in answers)
    assert versions == list(range(2, AT_ONCE + 2))


def test_equal_transactions_make_one_resource(service: Any, headers: dict[str, str]) -> None:
    """starter#459, starter#826, hapi-fhir#4738: of conditional creates in transactions at the same moment, all created."""
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


SPELLINGS = [
    pytest.param("code=urn:race|{v}&patient={p}", "patient={p}&code=urn:race|{v}", id="order"),
    pytest.param("code=urn:race|{v}&patient={p}", "code=urn:race|{v}&subject=Patient/{p}", id="patient and subject"),
    pytest.param("code=urn:race|{v}&patient={p}", "code=urn:race%7C{v}&patient=Patient/{p}", id="encoding and type"),
    pytest.param("code=urn:race|{v}&patient={p}", "code=urn:race|{v}", id="weaker"),
]


@pytest.mark.parametrize("way", ["create", "transaction", "transaction update"])
@pytest.mark.parametrize(("one", "other"), SPELLINGS)
def test_criteria_spelled_otherwise_make_one_resource(
    service: Any, headers: dict[str, str], one: str, other: str, way: str
) -> None:
    """Which requests wait for each other is decided by what they may match, not by how they say it."""
    patient = service.patient()

    def write(number: int, value: str) -> httpx.Response:
        tree = json.loads(observation(patient, value))
        asked = (one, other)[number % 2].format(v=value, p=patient)
        if way == "create":
            more = {**headers, "if-none-exist": asked}
            return httpx.post(f"{service.fhir}/Observation", json=tree, headers=more, timeout=60)
        request = {"method": "POST", "url": "Observation", "ifNoneExist": asked}
        if way == "transaction update":
            request = {"method": "PUT", "url": f"Observation?{asked}"}
        sent = {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": tree, "request": request}]}
        return httpx.post(f"{service.fhir}/", json=sent, headers=headers, timeout=60)

    for _ in range(3):
        value = uuid.uuid4().hex
        answers = at_once(partial(write, value=value))
        assert {answer.status_code for answer in answers} <= {200, 201}, [answer.text[:300] for answer in answers]
        asked = {"code": f"urn:race|{value}", "patient": patient}
        found = httpx.get(f"{service.fhir}/Observation", params=asked, headers=headers, timeout=60).json()
        assert found["total"] == 1


def observation(patient: str, code: str) -> bytes:
    tree = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "urn:race", "code": code}]},
    }
    return json.dumps({**tree, "subject": {"reference": f"Patient/{patient}"}}).encode()
