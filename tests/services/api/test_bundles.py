"""Batches and transactions over HTTP, on the real service."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from .bundles import entry, observation, send

pytestmark = pytest.mark.http


@pytest.fixture(scope="module")
def gp(service: Any) -> Iterator[httpx.Client]:
    with service.client("gp") as client:
        yield client


@pytest.fixture
def patient(service: Any) -> str:
    made: str = service.patient()
    return made


def urn() -> str:
    return uuid.uuid4().urn


def counted(client: httpx.Client, patient: str) -> int:
    answer = client.get("/Observation", params={"patient": patient, "_summary": "count"})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["total"])


def test_entries_refer_to_each_other_in_any_order_and_in_circles(gp: httpx.Client, patient: str) -> None:
    one, two = urn(), urn()
    answer = send(
        gp,
        "transaction",
        entry(observation(f"Patient/{patient}", hasMember=[{"reference": two}]), one),
        entry(observation(f"Patient/{patient}", derivedFrom=[{"reference": one}]), two),
    )

    assert answer.status_code == 200, answer.text
    first, second = (entry["resource"] for entry in answer.json()["entry"])
    assert first["hasMember"][0]["reference"] == f"Observation/{second['id']}"
    assert second["derivedFrom"][0]["reference"] == f"Observation/{first['id']}"
    assert answer.json()["entry"][0]["response"]["status"].startswith("201")


def test_a_resource_of_no_compartment_belongs_with_what_refers_to_it(gp: httpx.Client, patient: str) -> None:
    medication, binary = urn(), urn()
    answer = send(
        gp,
        "transaction",
        entry({"resourceType": "Binary", "contentType": "text/plain", "data": "QQ=="}, binary),
        entry({"resourceType": "Medication", "code": {"text": "essai"}}, medication),
        entry(
            {
                "resourceType": "MedicationRequest",
                "status": "active",
                "intent": "order",
                "medicationReference": {"reference": medication},
                "subject": {"reference": f"Patient/{patient}"},
            }
        ),
        entry(
            {
                "resourceType": "DocumentReference",
                "status": "current",
                "subject": {"reference": f"Patient/{patient}"},
                "content": [{"attachment": {"contentType": "text/plain", "url": binary}}],
            }
        ),
    )

    assert answer.status_code == 200, answer.text
    made = [entry["resource"] for entry in answer.json()["entry"]]
    assert made[2]["medicationReference"]["reference"] == f"Medication/{made[1]['id']}"
    assert made[3]["content"][0]["attachment"]["url"] == f"Binary/{made[0]['id']}"
    assert gp.get(f"/Binary/{made[0]['id']}").status_code == 200


def test_a_bad_entry_is_named_and_nothing_stays(gp: httpx.Client, patient: str) -> None:
    good = [entry(observation(f"Patient/{patient}")) for _ in range(3)]
    bad = entry(observation(f"Patient/{patient}", status="nonsense"))

    answer = send(gp, "transaction", *good, bad)

    assert answer.status_code == 422, answer.text
    assert "Bundle.entry[3]" in answer.json()["issue"][0]["diagnostics"]
    assert counted(gp, patient) == 0


def test_a_reference_to_nothing_is_named_and_nothing_stays(gp: httpx.Client, patient: str) -> None:
    answer = send(
        gp,
        "transaction",
        entry(observation(f"Patient/{patient}")),
        entry(observation(f"Patient/{patient}", hasMember=[{"reference": urn()}])),
    )

    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1].resource.hasMember[0]"]
    assert counted(gp, patient) == 0


def test_criteria_that_cannot_be_searched_name_the_entry_that_asks(gp: httpx.Client, patient: str) -> None:
    good = entry(observation(f"Patient/{patient}"))
    named = entry(observation(f"Patient/{patient}", performer=[{"reference": "Practitioner?colour=blue"}]))
    asks = entry(observation(f"Patient/{patient}"), ifNoneExist="colour=blue")

    for bad, status, place in (
        (named, 422, "Bundle.entry[1].resource.performer[0]"),
        (asks, 400, "Bundle.entry[1]"),
    ):
        answer = send(gp, "transaction", good, bad)
        assert answer.status_code == status, answer.text
        (issue,) = answer.json()["issue"]
        assert issue["expression"] == [place]
        assert issue["diagnostics"].startswith("Bundle.entry[1]: ")
        assert "'colour' is not a search parameter" in issue["diagnostics"]
    assert counted(gp, patient) == 0


def test_a_conditional_create_without_criteria_creates_nothing(gp: httpx.Client, patient: str) -> None:
    answer = send(gp, "transaction", entry(observation(f"Patient/{patient}"), ifNoneExist=""))

    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[0].request.ifNoneExist"]
    assert counted(gp, patient) == 0


def test_a_resource_that_is_carried_to_another_record_is_told_so(service: Any, gp: httpx.Client, patient: str) -> None:
    made = gp.post("/Observation", json=observation(f"Patient/{patient}")).json()
    changed = {**made, "subject": {"reference": f"Patient/{service.patient()}"}}

    answer = gp.put(f"/Observation/{made['id']}", json=changed)

    assert answer.status_code == 422
    assert "leads to another patient" in answer.json()["issue"][0]["diagnostics"]
    assert answer.json()["issue"][0]["expression"] == ["Observation.subject"]


def test_a_reference_to_an_entry_is_held_to_its_target_types(gp: httpx.Client, patient: str) -> None:
    flag = urn()

    answer = send(
        gp,
        "transaction",
        entry({"resourceType": "Flag", "status": "active", "code": {"text": "x"},
               "subject": {"reference": f"Patient/{patient}"}}, flag),
        entry(observation(f"Patient/{patient}", encounter={"reference": flag})),
    )  # fmt: skip

    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1].resource.encounter"]


def test_a_conditional_reference_finds_its_target(service: Any, gp: httpx.Client, patient: str) -> None:
    with service.client("admin") as admin:
        value = str(uuid.uuid4())
        made = admin.post(
            "/Practitioner",
            json={"resourceType": "Practitioner", "identifier": [{"system": "urn:test", "value": value}]},
        )
        assert made.status_code == 201, made.text
    performer = [{"reference": f"Practitioner?identifier=urn:test|{value}"}]

    answer = send(gp, "transaction", entry(observation(f"Patient/{patient}", performer=performer)))

    assert answer.status_code == 200, answer.text
    stored = answer.json()["entry"][0]["resource"]
    assert stored["performer"][0]["reference"] == f"Practitioner/{made.json()['id']}"


def test_an_unmatched_conditional_reference_fails_the_transaction_and_is_named(gp: httpx.Client, patient: str) -> None:
    performer = [{"reference": "Practitioner?identifier=urn:test|nobody"}]

    answer = send(gp, "transaction", entry(observation(f"Patient/{patient}", performer=performer)))

    assert answer.status_code == 422
    assert "Practitioner?identifier=urn:test|nobody" in answer.json()["issue"][0]["diagnostics"]
    assert counted(gp, patient) == 0


def test_a_transaction_deletes_creates_updates_and_reads(gp: httpx.Client, patient: str) -> None:
    old = gp.post("/Observation", json=observation(f"Patient/{patient}")).json()
    kept = gp.post("/Observation", json=observation(f"Patient/{patient}")).json()
    changed = observation(f"Patient/{patient}", status="amended", id=kept["id"])

    answer = send(
        gp,
        "transaction",
        {"request": {"method": "GET", "url": f"Observation/{kept['id']}"}},
        entry(changed, method="PUT", url=""),
        {"request": {"method": "DELETE", "url": f"Observation/{old['id']}"}},
        entry(observation(f"Patient/{patient}")),
    )

    assert answer.status_code == 400  # The PUT has no url: nothing was done.
    assert gp.get(f"/Observation/{old['id']}").status_code == 200
    answer = send(
        gp,
        "transaction",
        {"request": {"method": "GET", "url": f"Observation/{kept['id']}"}},
        {"resource": changed, "request": {"method": "PUT", "url": f"Observation/{kept['id']}", "ifMatch": 'W/"1"'}},
        {"request": {"method": "DELETE", "url": f"Observation/{old['id']}"}},
        entry(observation(f"Patient/{patient}")),
    )
    assert answer.status_code == 200, answer.text
    statuses = [entry["response"]["status"][:3] for entry in answer.json()["entry"]]
    assert statuses == ["200", "200", "204", "201"]
    assert answer.json()["entry"][0]["resource"]["status"] == "amended"
    assert gp.get(f"/Observation/{old['id']}").status_code == 410


@pytest.mark.parametrize("way", ["POST", "PUT"])
def test_what_a_transaction_deletes_is_not_referred_to_anew(gp: httpx.Client, patient: str, way: str) -> None:
    visit = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": f"Patient/{patient}"},
    }
    made = gp.post("/Encounter", json=visit).json()
    kept = gp.post("/Observation", json=observation(f"Patient/{patient}")).json()
    named = observation(f"Patient/{patient}", encounter={"reference": f"Encounter/{made['id']}"})
    delete = {"request": {"method": "DELETE", "url": f"Encounter/{made['id']}"}}
    write = entry(named)
    if way == "PUT":
        write = {
            "resource": {**named, "id": kept["id"]},
            "request": {"method": "PUT", "url": f"Observation/{kept['id']}"},
        }

    for entries in ([delete, write], [write, delete]):
        answer = send(gp, "transaction", *entries)
        assert answer.status_code == 422, answer.text
        told = answer.json()["issue"][0]
        assert told["diagnostics"].startswith(f"Bundle.entry[{entries.index(write)}]: ")
        assert f"deleted by Bundle.entry[{entries.index(delete)}]" in told["diagnostics"]
    assert gp.get(f"/Encounter/{made['id']}").status_code == 200


def test_what_referred_before_to_what_a_transaction_deletes_can_still_be_changed(
    gp: httpx.Client, patient: str
) -> None:
    visit = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "subject": {"reference": f"Patient/{patient}"},
    }
    made = gp.post("/Encounter", json=visit).json()
    named = observation(f"Patient/{patient}", encounter={"reference": f"Encounter/{made['id']}"})
    kept = gp.post("/Observation", json=named).json()
    changed = {**named, "id": kept["id"], "status": "amended"}

    answer = send(
        gp,
        "transaction",
        {"request": {"method": "DELETE", "url": f"Encounter/{made['id']}"}},
        {"resource": changed, "request": {"method": "PUT", "url": f"Observation/{kept['id']}"}},
    )

    assert answer.status_code == 200, answer.text


def test_a_bundle_of_another_type_is_told_where_it_is_kept(gp: httpx.Client, patient: str) -> None:
    """What the refusal advises works."""
    kept = {"resourceType": "Bundle", "type": "collection"}

    refused = gp.post("/", json=kept)

    assert refused.status_code == 400
    assert "in a transaction with a resource that refers to it" in refused.json()["issue"][0]["diagnostics"]
    name = urn()
    naming = {
        "resourceType": "DocumentReference",
        "status": "current",
        "subject": {"reference": f"Patient/{patient}"},
        "content": [{"attachment": {"title": "Recueil"}}],
        "context": {"related": [{"reference": name}]},
    }
    answer = send(gp, "transaction", entry(kept, name), entry(naming))
    assert answer.status_code == 200, answer.text


def test_one_resource_comes_once_in_a_transaction(gp: httpx.Client, patient: str) -> None:
    made = gp.post("/Observation", json=observation(f"Patient/{patient}")).json()
    delete = {"request": {"method": "DELETE", "url": f"Observation/{made['id']}"}}

    answer = send(gp, "transaction", delete, delete)

    assert answer.status_code == 400
    assert "Bundle.entry[1]" in answer.json()["issue"][0]["diagnostics"]


def test_a_conditional_create_in_a_transaction_is_referred_to(gp: httpx.Client, patient: str) -> None:
    identifier = [{"system": "urn:test", "value": str(uuid.uuid4())}]
    criteria = f"identifier=urn:test|{identifier[0]['value']}"
    there = gp.post("/Observation", json=observation(f"Patient/{patient}", identifier=identifier)).json()
    one = urn()

    answer = send(
        gp,
        "transaction",
        entry(observation(f"Patient/{patient}", identifier=identifier), one, ifNoneExist=criteria),
        entry(observation(f"Patient/{patient}", derivedFrom=[{"reference": one}])),
    )

    assert answer.status_code == 200, answer.text
    first, second = answer.json()["entry"]
    assert first["response"]["status"].startswith("200")
    assert second["resource"]["derivedFrom"][0]["reference"] == f"Observation/{there['id']}"


def test_each_entry_of_a_batch_stands_alone(gp: httpx.Client, patient: str) -> None:
    answer = send(
        gp,
        "batch",
        entry(observation(f"Patient/{patient}")),
        entry(observation(f"Patient/{patient}", status="nonsense")),
        {"request": {"method": "GET", "url": f"Patient/{patient}"}},
        {"request": {"method": "GET", "url": f"Observation?patient={patient}"}},
        {"request": {"method": "BREW", "url": "Coffee"}},
    )

    assert answer.status_code == 200, answer.text
    entries = answer.json()["entry"]
    assert [entry["response"]["status"][:3] for entry in entries] == ["201", "422", "200", "200", "400"]
    assert entries[1]["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert entries[2]["resource"]["id"] == patient
    assert entries[3]["resource"]["type"] == "searchset"
    assert counted(gp, patient) == 1


def test_of_two_entries_of_a_batch_with_one_full_url_the_first_stands(gp: httpx.Client, patient: str) -> None:
    one = entry(observation(f"Patient/{patient}"), urn())

    answer = send(gp, "batch", one, one)

    first, second = (each["response"] for each in answer.json()["entry"])
    assert (first["status"][:3], second["status"][:3]) == ("201", "400")
    assert second["outcome"]["issue"][0]["expression"] == ["fullUrl"]
    assert counted(gp, patient) == 1


@pytest.mark.parametrize("type_", ["transaction", "batch"])
def test_an_entry_whose_narrative_was_cleaned_says_so(gp: httpx.Client, patient: str, type_: str) -> None:
    scripted = {"status": "additional", "div": "<div>Calme<script>x</script></div>"}
    entries = [entry(observation(f"Patient/{patient}", text=scripted)), entry(observation(f"Patient/{patient}"))]
    bundle = {"resourceType": "Bundle", "type": type_, "entry": entries}
    answer = gp.post("/", json=bundle, headers={"prefer": "return=OperationOutcome"})

    told = [one["response"]["outcome"]["issue"][0] for one in answer.json()["entry"]]
    assert [issue["severity"] for issue in told] == ["warning", "information"]
    assert told[0]["expression"] == ["Observation.text"]


def test_five_thousand_and_one_entries_are_too_many(gp: httpx.Client) -> None:
    body = {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": "x"}}] * 5001}

    assert gp.post("/", content=json.dumps(body)).status_code == 413
