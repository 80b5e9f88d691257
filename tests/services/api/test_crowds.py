"""Many writers at the same moment, on two workers: transactions that overlap, and every way to write on one identifier.

Short here; the proofs beside them repeat the same for longer.
"""

import random
import uuid
from collections import Counter
from typing import Any

import httpx
import pytest

from .crowd import SYSTEM, WRITERS, at_once, bundle

pytestmark = pytest.mark.http

CLIENTS = 32


@pytest.fixture(scope="module")
def headers(service: Any) -> dict[str, str]:
    return {"authorization": f"Bearer {service.token('gp')}", "content-type": "application/fhir+json"}


def flag(patient: str, value: str, text: str = "essai") -> dict[str, Any]:
    return {
        "resourceType": "Flag",
        "status": "active",
        "code": {"text": text},
        "subject": {"reference": f"Patient/{patient}"},
        "identifier": [{"system": SYSTEM, "value": value}],
    }


def matches(service: Any, headers: dict[str, str], value: str) -> list[str]:
    answer = httpx.get(
        f"{service.fhir}/Flag", params={"identifier": f"{SYSTEM}|{value}", "_count": "200"}, headers=headers, timeout=60
    )
    assert answer.status_code == 200
    return [entry["resource"]["id"] for entry in answer.json().get("entry", ())]


# ---- transactions that overlap ---------------------------------------------------------------------------------------


def overlapping(service: Any, headers: dict[str, str], seed: int) -> None:
    """Each writer sends the same ten identifiers in an order of its own, half to be created once and half updated."""
    patient, run = service.patient(), uuid.uuid4().hex
    values = [f"{run}-{number}" for number in range(10)]

    def write(number: int) -> httpx.Response:
        mine = random.Random(f"{seed}/{number}").sample(values, len(values))
        entries: list[tuple[dict[str, Any], dict[str, str]]] = []
        for value in mine:
            asked = f"identifier={SYSTEM}|{value}"
            if values.index(value) % 2:
                entries.append((flag(patient, value), {"method": "POST", "url": "Flag", "ifNoneExist": asked}))
            else:
                entries.append((flag(patient, value, f"de {number}"), {"method": "PUT", "url": f"Flag?{asked}"}))
        return httpx.post(f"{service.fhir}/", content=bundle(*entries), headers=headers, timeout=120)

    answers = at_once(WRITERS, write)

    assert [answer.status_code for answer in answers] == [200] * WRITERS, [answer.text[:300] for answer in answers]
    made: Counter[str] = Counter()
    for answer in answers:
        made.update(entry["response"]["status"][:3] for entry in answer.json()["entry"])
    assert made["201"] == len(values)
    assert made["200"] == (WRITERS - 1) * len(values)
    for value in values:
        (id_,) = matches(service, headers, value)
        version = httpx.get(f"{service.fhir}/Flag/{id_}", headers=headers).json()["meta"]["versionId"]
        assert version == ("1" if values.index(value) % 2 else str(WRITERS))


def test_overlapping_transactions_of_many_writers_all_succeed(service: Any, headers: dict[str, str]) -> None:
    overlapping(service, headers, 1)


def test_updates_by_id_and_by_criteria_in_any_order_all_succeed(service: Any, headers: dict[str, str]) -> None:
    """hapi-fhir#1819: transactions of updates ended in deadlocks. hapi-fhir#4690: two took the same
    version number, and one failed. LFH#3539: what to lock was put in order before criteria had become ids. hapi-fhir#4843,
    hapi-fhir#5288: afterwards a resource could never be changed again."""
    patient, run = service.patient(), uuid.uuid4().hex
    values = [f"{run}-{number}" for number in range(5)]
    made = [post(service, headers, patient, value, if_none=False).json()["id"] for value in values]

    def write(number: int) -> httpx.Response:
        entries: list[tuple[dict[str, Any], dict[str, str]]] = []
        for place in random.Random(number).sample(range(5), 5):
            tree = flag(patient, values[place], f"de {number}")
            if (number + place) % 2:
                entries.append(({**tree, "id": made[place]}, {"method": "PUT", "url": f"Flag/{made[place]}"}))
            else:
                entries.append((tree, {"method": "PUT", "url": f"Flag?identifier={SYSTEM}|{values[place]}"}))
        return httpx.post(f"{service.fhir}/", content=bundle(*entries), headers=headers, timeout=120)

    answers = at_once(WRITERS, write)

    assert [answer.status_code for answer in answers] == [200] * WRITERS, [answer.text[:300] for answer in answers]
    for value, id_ in zip(values, made, strict=True):
        last = httpx.put(f"{service.fhir}/Flag/{id_}", json={**flag(patient, value), "id": id_}, headers=headers)
        assert (last.status_code, last.json()["meta"]["versionId"]) == (200, str(WRITERS + 2))
        kept = httpx.get(f"{service.fhir}/Flag/{id_}/_history?_count=100", headers=headers, timeout=60).json()["entry"]
        assert [one["response"]["etag"] for one in kept] == [f'W/"{one}"' for one in range(WRITERS + 2, 0, -1)]


# ---- every way to write, on one identifier ---------------------------------------------------------------------------


def post(service: Any, headers: dict[str, str], patient: str, value: str, *, if_none: bool) -> httpx.Response:
    more = {"if-none-exist": f"identifier={SYSTEM}|{value}"} if if_none else {}
    return httpx.post(f"{service.fhir}/Flag", json=flag(patient, value), headers={**headers, **more}, timeout=120)


def put(service: Any, headers: dict[str, str], patient: str, value: str, number: int) -> httpx.Response:
    asked = {"identifier": f"{SYSTEM}|{value}"}
    body = flag(patient, value, f"de {number}")
    return httpx.put(f"{service.fhir}/Flag", params=asked, json=body, headers=headers, timeout=120)


def transact(service: Any, headers: dict[str, str], patient: str, value: str) -> httpx.Response:
    once = {"method": "POST", "url": "Flag", "ifNoneExist": f"identifier={SYSTEM}|{value}"}
    sent = bundle((flag(patient, value), once), (flag(patient, f"{value}-besides"), {**once, "ifNoneExist": ""}))
    return httpx.post(
        f"{service.fhir}/", content=sent.replace(b', "ifNoneExist": ""', b""), headers=headers, timeout=120
    )


def mixed(service: Any, headers: dict[str, str], *, plain: bool) -> None:
    """R4 http.html: a plain create always creates; one with If-None-Exist, and a conditional update, create when nothing
    matches, take the one that does, and are refused with 412 when several do."""
    patient, value = service.patient(), uuid.uuid4().hex
    kinds = ("once", "put", "transaction", "plain" if plain else "once")

    def write(number: int) -> httpx.Response:
        match kinds[number % len(kinds)]:
            case "once":
                return post(service, headers, patient, value, if_none=True)
            case "put":
                return put(service, headers, patient, value, number)
            case "transaction":
                return transact(service, headers, patient, value)
        return post(service, headers, patient, value, if_none=False)

    answers = at_once(CLIENTS, write)

    by_kind: dict[str, Counter[int]] = {kind: Counter() for kind in kinds}
    for number, answer in enumerate(answers):
        status = answer.status_code
        if status == 200 and kinds[number % len(kinds)] == "transaction":
            status = int(answer.json()["entry"][0]["response"]["status"][:3])
        by_kind[kinds[number % len(kinds)]][status] += 1
    conditional = sum((by_kind[kind] for kind in {*kinds} - {"plain"}), Counter())
    found = matches(service, headers, value)
    assert set(conditional) <= {200, 201, 412}, [answer.text[:300] for answer in answers]
    assert conditional[201] <= 1
    if plain:
        assert by_kind["plain"] == {201: CLIENTS // 4}
        assert len(found) == CLIENTS // 4 + conditional[201]
    else:
        assert conditional == {201: 1, 200: CLIENTS - 1}
        assert len(found) == 1
    # A transaction that is refused leaves nothing of its other entry.
    done = by_kind["transaction"]
    assert len(matches(service, headers, f"{value}-besides")) == done[200] + done[201]


@pytest.mark.parametrize("plain", [False, True], ids=["conditional only", "plain creates too"])
def test_every_way_to_write_on_one_identifier_does_what_r4_says(
    service: Any, headers: dict[str, str], plain: bool
) -> None:
    mixed(service, headers, plain=plain)


@pytest.mark.proof
def test_overlapping_transactions_again_and_again(service: Any) -> None:
    for seed in range(30):
        headers = {"authorization": f"Bearer {service.token('gp')}", "content-type": "application/fhir+json"}
        overlapping(service, headers, seed)


@pytest.mark.proof
def test_every_way_to_write_again_and_again(service: Any) -> None:
    for number in range(30):
        headers = {"authorization": f"Bearer {service.token('gp')}", "content-type": "application/fhir+json"}
        mixed(service, headers, plain=number % 2 == 1)
