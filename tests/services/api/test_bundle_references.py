"""Conditional references of a transaction are resolved when all else is done (R4 http.html#trules): what it writes counts."""

import uuid
from typing import Any

import httpx
import pytest

from .bundles import entry, observation, send

pytestmark = pytest.mark.http


def encounter(patient: str, value: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": f"Patient/{patient}"},
        "identifier": [{"system": "urn:test", "value": value}],
        **more,
    }


def during(patient: str, criteria: str) -> dict[str, Any]:
    return observation(f"Patient/{patient}", encounter={"reference": f"Encounter?{criteria}"})


def place(entry_: dict[str, Any]) -> str:
    return "/".join(entry_["response"]["location"].split("/_history")[0].split("/")[-2:])


@pytest.mark.parametrize("first", [True, False], ids=["named first", "made first"])
@pytest.mark.parametrize(
    "criteria", ["identifier=urn:test|{}", "identifier={}&status=finished", "identifier={}&subject=Patient/{patient}"]
)
def test_what_the_transaction_creates_is_found(gp: httpx.Client, patient: str, criteria: str, first: bool) -> None:
    value = str(uuid.uuid4())
    made = entry(encounter(patient, value))
    named = entry(during(patient, criteria.format(value, patient=patient)))

    answer = send(gp, "transaction", *((named, made) if first else (made, named)))

    assert answer.status_code == 200, answer.text
    one, other = answer.json()["entry"]
    stay, measure = (other, one) if first else (one, other)
    assert gp.get(f"/{place(measure)}").json()["encounter"] == {"reference": place(stay)}


def test_what_the_transaction_creates_and_what_was_there_are_several(gp: httpx.Client, patient: str) -> None:
    value = str(uuid.uuid4())
    assert gp.post("/Encounter", json=encounter(patient, value)).status_code == 201

    answer = send(gp, "transaction", entry(encounter(patient, value)), entry(during(patient, f"identifier={value}")))

    assert answer.status_code == 422
    assert "several" in answer.text
    assert gp.get("/Encounter", params={"identifier": value}).json()["total"] == 1


def test_two_that_the_transaction_creates_are_several(gp: httpx.Client, patient: str) -> None:
    value = str(uuid.uuid4())
    both = [entry(encounter(patient, value)) for _ in range(2)]

    assert "several" in send(gp, "transaction", *both, entry(during(patient, f"identifier={value}"))).text


@pytest.mark.parametrize("way", ["id", "criteria"])
def test_what_the_transaction_updates_is_asked_as_it_will_be(gp: httpx.Client, patient: str, way: str) -> None:
    before, after = str(uuid.uuid4()), str(uuid.uuid4())
    stay = gp.post("/Encounter", json=encounter(patient, before)).json()["id"]
    known = {"id": stay} if way == "id" else {}
    url = f"Encounter/{stay}" if way == "id" else f"Encounter?identifier={before}"
    update = {"resource": encounter(patient, after, **known), "request": {"method": "PUT", "url": url}}

    refused = send(gp, "transaction", update, entry(during(patient, f"identifier={before}")))
    answer = send(gp, "transaction", update, entry(during(patient, f"identifier={after}")))

    assert refused.status_code == 422
    assert "no resources" in refused.text
    assert answer.status_code == 200, answer.text
    assert gp.get(f"/{place(answer.json()['entry'][1])}").json()["encounter"]["reference"] == f"Encounter/{stay}"


def test_what_a_conditional_create_finds_there_is_the_one_that_is_named(gp: httpx.Client, patient: str) -> None:
    value = str(uuid.uuid4())
    stay = gp.post("/Encounter", json=encounter(patient, value)).json()["id"]
    once = entry(encounter(patient, value), ifNoneExist=f"identifier={value}")

    answer = send(gp, "transaction", once, entry(during(patient, f"identifier={value}")))

    assert answer.status_code == 200, answer.text
    assert gp.get(f"/{place(answer.json()['entry'][1])}").json()["encounter"]["reference"] == f"Encounter/{stay}"


def test_in_a_batch_each_entry_stands_alone(gp: httpx.Client, patient: str) -> None:
    value = str(uuid.uuid4())

    answer = send(gp, "batch", entry(during(patient, f"identifier={value}")), entry(encounter(patient, value))).json()

    assert [one["response"]["status"][:3] for one in answer["entry"]] == ["422", "201"]


@pytest.mark.parametrize("ways", [2, 1], ids=["two spellings", "one of the two asks"])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("identifier={}&patient:Patient.gender=unknown", "identifier={}&subject:Patient.gender=unknown"),
        ("_filter=identifier eq {}", "_filter=(identifier eq {})"),
        ("performer.name=x", "performer:Practitioner.name=x"),
    ],
    ids=["chain", "filter", "chain alone"],
)
def test_what_only_the_base_could_tell_of_two_entries_is_refused(
    gp: httpx.Client, patient: str, one: str, other: str, ways: int
) -> None:
    value = str(uuid.uuid4())
    body = observation(f"Patient/{patient}", identifier=[{"system": "urn:test", "value": value}])
    criteria = [one.format(value), other.format(value)][:ways]
    entries = [entry(body, ifNoneExist=asked) for asked in criteria] + [entry(body)] * (2 - ways)

    answer = send(gp, "transaction", *entries)

    assert answer.status_code == 400
    assert "only the base could tell" in answer.text
    assert gp.get("/Observation", params={"identifier": value}).json()["total"] == 0


def test_a_chain_beside_an_identifier_leaves_nothing_open(gp: httpx.Client, patient: str) -> None:
    values = [str(uuid.uuid4()) for _ in range(2)]
    bodies = [observation(f"Patient/{patient}", identifier=[{"system": "urn:test", "value": one}]) for one in values]
    criteria = [f"identifier=urn:test|{one}&patient.gender=unknown" for one in values]

    answer = send(gp, "transaction", *(entry(b, ifNoneExist=c) for b, c in zip(bodies, criteria, strict=True)))

    assert answer.status_code == 200, answer.text


def test_a_version_that_is_named_is_there_or_made_here(gp: httpx.Client, patient: str) -> None:
    """Alone and in a transaction that updates what is named; one that no version was given, as 01, is none either."""
    stay = gp.post("/Encounter", json=encounter(patient, str(uuid.uuid4()))).json()
    name = f"Encounter/{stay['id']}"

    def named(version: str) -> dict[str, Any]:
        return observation(f"Patient/{patient}", encounter={"reference": f"{name}/_history/{version}"})

    assert gp.post("/Observation", json=named("1")).json()["encounter"]["reference"] == f"{name}/_history/1"
    for absent in ("2", "0", "01", "one"):
        refused = gp.post("/Observation", json=named(absent))
        assert refused.status_code == 422, refused.text
        assert f"{name}/_history/{absent} does not exist" in refused.json()["issue"][0]["diagnostics"]
    update = {"resource": stay, "request": {"method": "PUT", "url": name}}
    assert send(gp, "transaction", entry(named("3")), update).status_code == 422
    assert send(gp, "transaction", entry(named("2")), update).status_code == 200
