"""Many writers of one resource, or of some of a few, on two workers: without If-Match the last one wins, and none is refused.

R4 http.html#concurrency. Short here; the proofs beside repeat the same for longer.
"""

import json
import random
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx
import pytest

from .crowd import SYSTEM, WRITERS, at_once, bundle

pytestmark = pytest.mark.http


def component(text: str) -> dict[str, Any]:
    return {"code": {"text": text}, "valueString": text}


def observation(patient: str, text: str = "first") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "essai"},
        "subject": {"reference": f"Patient/{patient}"},
        "component": [component(text)],
    }


Send = Callable[[httpx.Client, dict[str, Any], str], httpx.Response]


def plain_put(client: httpx.Client, there: dict[str, Any], text: str) -> httpx.Response:
    return client.put(f"/Observation/{there['id']}", json={**there, "component": [component(text)]})


def json_patch(client: httpx.Client, there: dict[str, Any], text: str) -> httpx.Response:
    added = [{"op": "add", "path": "/component/-", "value": component(text)}]
    kind = {"content-type": "application/json-patch+json"}
    return client.patch(f"/Observation/{there['id']}", content=json.dumps(added), headers=kind)


def fhirpath_patch(client: httpx.Client, there: dict[str, Any], text: str) -> httpx.Response:
    part = [
        {"name": "type", "valueCode": "add"},
        {"name": "path", "valueString": "Observation"},
        {"name": "name", "valueString": "component"},
        {
            "name": "value",
            "part": [{"name": "code", "valueCodeableConcept": {"text": text}}, {"name": "value", "valueString": text}],
        },
    ]
    body = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]}
    return client.patch(f"/Observation/{there['id']}", json=body)


def conditional_put(client: httpx.Client, there: dict[str, Any], text: str) -> httpx.Response:
    body = {**there, "component": [component(text)]}
    return client.put("/Observation", params={"_id": there["id"]}, json=body)


def conditional_patch(client: httpx.Client, there: dict[str, Any], text: str) -> httpx.Response:
    added = [{"op": "add", "path": "/component/-", "value": component(text)}]
    kind = {"content-type": "application/json-patch+json"}
    return client.patch("/Observation", params={"_id": there["id"]}, content=json.dumps(added), headers=kind)


def tagged(client: httpx.Client, there: dict[str, Any], text: str) -> httpx.Response:
    meta = {"tag": [{"system": SYSTEM, "code": text}]}
    body = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}
    return client.post(f"/Observation/{there['id']}/$meta-add", json=body)


def entry(there: dict[str, Any], text: str) -> tuple[dict[str, Any], dict[str, str]]:
    request = {"method": "PUT", "url": f"Observation/{there['id']}"}
    return {**there, "component": [component(text)]}, request


def batch_put(client: httpx.Client, there: dict[str, Any], text: str) -> httpx.Response:
    return client.post("/", content=bundle(entry(there, text)).replace(b'"transaction"', b'"batch"'))


def transaction_put(client: httpx.Client, there: dict[str, Any], text: str) -> httpx.Response:
    return client.post("/", content=bundle(entry(there, text)))


KEEPS = {json_patch, fhirpath_patch, conditional_patch, tagged}
"""Ways that change what is there: nothing that another has added may be lost."""
WAYS: dict[str, list[Send]] = {
    "PUT": [plain_put],
    "JSON Patch": [json_patch],
    "FHIRPath Patch": [fhirpath_patch],
    "batch": [batch_put],
    "transaction": [transaction_put],
    "conditional PUT": [conditional_put],
    "conditional PATCH": [conditional_patch],
    "$meta-add": [tagged],
    "every patch": [json_patch, fhirpath_patch, conditional_patch, tagged],
    "everything": [plain_put, json_patch, batch_put, transaction_put, conditional_put, conditional_patch, tagged],
}


def statuses(answer: httpx.Response) -> list[int]:
    """Of its entries, where it has some."""
    if answer.status_code != 200 or answer.json()["resourceType"] != "Bundle":
        return [answer.status_code]
    return [int(one["response"]["status"][:3]) for one in answer.json()["entry"]]


def history(client: httpx.Client, id_: str) -> list[dict[str, Any]]:
    """Every version, the newest first."""
    answer = client.get(f"/Observation/{id_}/_history", params={"_count": "500"})
    assert answer.status_code == 200, answer.text
    return [one["resource"] for one in answer.json()["entry"]]


def on_one_resource(service: Any, ways: list[Send], each: int) -> None:
    """R4 http.html#concurrency: who sends no If-Match is never refused for being one of many."""
    patient = service.patient()
    with service.client("gp") as client:
        there = client.post("/Observation", json=observation(patient)).json()
        headers = {name: client.headers[name] for name in ("authorization", "content-type")}

        def write(number: int) -> list[tuple[str, httpx.Response]]:
            with httpx.Client(base_url=service.fhir, headers=headers, timeout=120) as mine:
                texts = [f"{number}-{turn}" for turn in range(each)]
                return [(text, ways[number % len(ways)](mine, there, text)) for text in texts]

        with ThreadPoolExecutor(WRITERS) as threads:
            answers = [one for some in threads.map(write, range(WRITERS)) for one in some]
        assert Counter(status for _, answer in answers for status in statuses(answer)) == {200: WRITERS * each}, [
            answer.text[:300] for _, answer in answers
        ]
        versions = history(client, there["id"])

    numbers = [int(one["meta"]["versionId"]) for one in versions]
    assert numbers == list(range(WRITERS * each + 1, 0, -1))
    if KEEPS.issuperset(ways):
        last = versions[0]
        kept = {one["valueString"] for one in last["component"]} | {one["code"] for one in last["meta"].get("tag", ())}
        assert kept == {"first", *(text for text, _ in answers)}


@pytest.mark.parametrize("way", WAYS)
def test_nobody_is_refused_for_writing_at_the_same_moment(service: Any, way: str) -> None:
    on_one_resource(service, WAYS[way], each=1)


@pytest.mark.proof
@pytest.mark.parametrize("way", WAYS)
def test_nobody_is_refused_in_a_long_crowd(service: Any, way: str) -> None:
    on_one_resource(service, WAYS[way], each=20)


def of_a_few(service: Any, each: int, *, of: int, some: int, more: int = 0) -> None:
    """Transactions of each writer on `some` of these resources, in an order of its own; and as many plain writers as `more`."""
    patient = service.patient()
    with service.client("gp") as client:
        there = [client.post("/Observation", json=observation(patient)).json() for _ in range(of)]
        headers = {name: client.headers[name] for name in ("authorization", "content-type")}

        def write(number: int) -> Counter[int]:
            choice, seen = random.Random(f"{number}"), Counter[int]()
            with httpx.Client(base_url=service.fhir, headers=headers, timeout=120) as mine:
                for turn in range(each):
                    text = f"{number}-{turn}"
                    if number < WRITERS:
                        chosen = choice.sample(there, some)
                        answer = mine.post("/", content=bundle(*(entry(one, text) for one in chosen)))
                    else:
                        answer = WAYS["everything"][number % 7](mine, choice.choice(there), text)
                    seen.update(statuses(answer))
            return seen

        with ThreadPoolExecutor(WRITERS + more) as threads:
            seen = sum(threads.map(write, range(WRITERS + more)), Counter[int]())
        assert seen == {200: (WRITERS * some + more) * each}
        versions = [[int(one["meta"]["versionId"]) for one in history(client, one["id"])] for one in there]

    assert [numbers == list(range(len(numbers), 0, -1)) for numbers in versions] == [True] * of
    assert sum(map(len, versions)) == of + (WRITERS * some + more) * each


def test_transactions_on_some_of_a_few_resources_never_wait_in_a_circle(service: Any) -> None:
    of_a_few(service, 1, of=6, some=4, more=7)


@pytest.mark.proof
@pytest.mark.parametrize(("of", "some"), [(6, 4), (20, 2), (100, 10)])
def test_transactions_on_some_of_a_few_resources_again_and_again(service: Any, of: int, some: int) -> None:
    of_a_few(service, 12, of=of, some=some, more=14)


def delete_or_put(url: str, headers: dict[str, str], id_: str, sent: dict[str, Any], number: int) -> httpx.Response:
    if number % 4 == 0:
        return httpx.delete(f"{url}/Observation/{id_}", headers=headers, timeout=120)
    body = {**sent, "component": [component(str(number))]}
    asked = {"code": f"{SYSTEM}|{sent['code']['coding'][0]['code']}", "patient": sent["subject"]["reference"]}
    return httpx.put(f"{url}/Observation", params=asked, json=body, headers=headers, timeout=120)


def against_deletions(service: Any, rounds: int) -> None:
    """Conditional updates while what they match is deleted: each finds it, or nothing, and none is told that it is gone."""
    patient = service.patient()
    with service.client("gp") as client:
        headers = {name: client.headers[name] for name in ("authorization", "content-type")}
        for _ in range(rounds):
            code = uuid.uuid4().hex
            sent = {**observation(patient), "code": {"coding": [{"system": SYSTEM, "code": code}]}}
            id_ = client.post("/Observation", json=sent).json()["id"]

            answers = at_once(8, partial(delete_or_put, service.fhir, headers, id_, sent))

            assert {answer.status_code for answer in answers[::4]} == {204}
            updated = Counter(answer.status_code for number, answer in enumerate(answers) if number % 4)
            assert updated in ({200: 6}, {201: 1, 200: 5}), [answer.text[:300] for answer in answers]


def test_what_was_deleted_meanwhile_is_not_what_criteria_match(service: Any) -> None:
    against_deletions(service, 2)


@pytest.mark.proof
def test_what_was_deleted_meanwhile_again_and_again(service: Any) -> None:
    against_deletions(service, 40)


def test_who_asks_for_a_version_is_told_that_it_is_no_longer_the_one(service: Any) -> None:
    """If-Match among a crowd: one of those who saw the same version wins, all others learn that they lost."""
    patient = service.patient()
    with service.client("gp") as client:
        there = client.post("/Observation", json=observation(patient)).json()
        headers = {name: client.headers[name] for name in ("authorization", "content-type")}

        def write(number: int) -> httpx.Response:
            body = {**there, "component": [component(str(number))]}
            mine = {**headers, "if-match": 'W/"1"'}
            return httpx.put(f"{service.fhir}/Observation/{there['id']}", json=body, headers=mine, timeout=120)

        answers = at_once(WRITERS, write)

    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: WRITERS - 1}
