"""PATCH over HTTP, on the real service: alone, conditional, and in Bundles."""

import base64
import json
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.http

Weight = Callable[..., bytes]

JSON_PATCH = {"content-type": "application/json-patch+json"}
ABSENT = "0123456789abcdef0123456789abcdef"


def amend(value: object = "amended", path: str = "/status") -> bytes:
    return json.dumps([{"op": "replace", "path": path, "value": value}]).encode()


def fhirpath(path: str, **value: Any) -> dict[str, Any]:
    parts = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": path},
        {"name": "value", **value},
    ]
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}


def made(gp: httpx.Client, body: bytes) -> Any:
    answer = gp.post("/Observation", content=body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def in_bundle(client: httpx.Client, type_: str, url: str, resource: dict[str, Any], **request: Any) -> httpx.Response:
    entry = {"resource": resource, "request": {"method": "PATCH", "url": url, **request}}
    return client.post("/", json={"resourceType": "Bundle", "type": type_, "entry": [entry]})


def test_only_what_is_named_changes_and_the_rest_keeps_its_bytes(
    gp: httpx.Client, weight: Weight, patient: str
) -> None:
    created = gp.post("/Observation", content=weight(patient, "72.50"))
    id_ = created.json()["id"]

    answer = gp.patch(f"/Observation/{id_}", content=amend(), headers=JSON_PATCH)

    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == 'W/"2"'
    assert answer.headers["location"].endswith(f"/Observation/{id_}/_history/2")
    before, after = (body.partition(b'"status"')[2] for body in (created.content, answer.content))
    assert after == before.replace(b'"final"', b'"amended"')
    assert b'"value":72.50,' in answer.content
    assert gp.get(f"/Observation/{id_}").content == answer.content


def test_a_fhirpath_patch_is_a_parameters_resource(gp: httpx.Client, weight: Weight, patient: str) -> None:
    id_ = made(gp, weight(patient))["id"]

    answer = gp.patch(f"/Observation/{id_}", json=fhirpath("Observation.status", valueCode="amended"))

    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "amended"


def test_the_result_is_validated_by_its_fhirpath(gp: httpx.Client, weight: Weight, patient: str) -> None:
    id_ = made(gp, weight(patient))["id"]
    patch = [
        {"op": "replace", "path": "/status", "value": "nonsense"},
        {"op": "add", "path": "/valueQuantity/colour", "value": "red"},
    ]

    answer = gp.patch(f"/Observation/{id_}", content=json.dumps(patch), headers=JSON_PATCH)

    assert answer.status_code == 422
    named = {issue["expression"][0] for issue in answer.json()["issue"]}
    assert {"Observation.status", "Observation.value"} <= named
    assert gp.get(f"/Observation/{id_}").json()["meta"]["versionId"] == "1"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/id", "x"),
        ("/resourceType", "Patient"),
        ("/meta/versionId", "9"),
        ("/meta/lastUpdated", "2020-01-01T00:00:00Z"),
    ],
)
def test_who_a_resource_is_cannot_be_patched(
    gp: httpx.Client, weight: Weight, patient: str, path: str, value: str
) -> None:
    id_ = made(gp, weight(patient))["id"]

    answer = gp.patch(f"/Observation/{id_}", content=amend(value, path), headers=JSON_PATCH)

    assert answer.status_code == 422
    assert "cannot change" in answer.text


def test_a_patch_cannot_carry_a_resource_over_to_another_patient(
    service: Any, gp: httpx.Client, weight: Weight, patient: str
) -> None:
    id_, other = made(gp, weight(patient))["id"], service.patient()

    for subject in (f"Patient/{other}", f"Patient/{ABSENT}"):
        moved = gp.patch(f"/Observation/{id_}", content=amend(subject, "/subject/reference"), headers=JSON_PATCH)
        assert moved.status_code == 422
    assert gp.get(f"/Observation/{id_}").json()["subject"]["reference"] == f"Patient/{patient}"


def test_labels_are_guarded_like_in_an_update(service: Any, gp: httpx.Client, weight: Weight, patient: str) -> None:
    """A patch that adds or takes away a label is refused to whoever may not write it, as the same update is."""
    tree = made(gp, weight(patient))
    psychiatry = {"system": "https://liaison.example/fhir/CodeSystem/data-class", "code": "PSY"}
    label = [{"op": "add", "path": "/meta/security", "value": [psychiatry]}]

    with service.client("nurse") as nurse:
        updated = nurse.put(
            f"/Observation/{tree['id']}",
            content=json.dumps({**tree, "meta": {"security": [psychiatry]}}),
        )
        patched = nurse.patch(f"/Observation/{tree['id']}", content=json.dumps(label), headers=JSON_PATCH)

    assert patched.status_code == updated.status_code
    assert patched.json()["issue"] == updated.json()["issue"]


def test_a_test_that_does_not_hold_changes_nothing(gp: httpx.Client, weight: Weight, patient: str) -> None:
    id_ = made(gp, weight(patient))["id"]
    patch = [
        {"op": "replace", "path": "/status", "value": "amended"},
        {"op": "test", "path": "/valueQuantity/value", "value": 1},
    ]

    answer = gp.patch(f"/Observation/{id_}", content=json.dumps(patch), headers=JSON_PATCH)

    assert answer.status_code == 422
    assert "Operation 2 (test) at '/valueQuantity/value'" in answer.json()["issue"][0]["diagnostics"]
    assert gp.get(f"/Observation/{id_}").json()["status"] == "final"


def test_if_match_and_prefer_hold_for_patches(gp: httpx.Client, weight: Weight, patient: str) -> None:
    id_ = made(gp, weight(patient))["id"]
    url = f"/Observation/{id_}"

    stale = gp.patch(url, content=amend(), headers={**JSON_PATCH, "if-match": 'W/"7"'})
    minimal = gp.patch(url, content=amend(), headers={**JSON_PATCH, "if-match": 'W/"1"', "prefer": "return=minimal"})
    outcome = gp.patch(url, content=amend("final"), headers={**JSON_PATCH, "prefer": "return=OperationOutcome"})

    assert [stale.status_code, minimal.status_code, outcome.status_code] == [412, 200, 200]
    assert minimal.content == b""
    assert minimal.headers["etag"] == 'W/"2"'
    assert outcome.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json-patch+json", b"{}", 400),
        ("application/json-patch+json", b"[", 400),
        ("application/json-patch+json", b"", 400),
        ("application/fhir+json", b'{"resourceType":"Observation"}', 400),
        ("application/fhir+json", b'{"resourceType":"Parameters","parameter":[{"name":""}]}', 422),
        ("application/merge-patch+json", b"{}", 415),
        ("application/xml-patch+xml", b"<diff/>", 415),
        ("text/plain", b"[]", 415),
    ],
)
def test_what_is_no_patch_is_refused_by_kind(
    gp: httpx.Client, weight: Weight, patient: str, kind: str, body: bytes, status: int
) -> None:
    id_ = made(gp, weight(patient))["id"]

    answer = gp.patch(f"/Observation/{id_}", content=body, headers={"content-type": kind})

    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_json_patch_is_no_body_of_other_methods(gp: httpx.Client) -> None:
    assert gp.post("/Observation", content=amend(), headers=JSON_PATCH).status_code == 415


def test_a_conditional_patch_changes_the_one_match(gp: httpx.Client, weight: Weight, patient: str) -> None:
    value = str(uuid.uuid4())
    identifier = [{"system": "urn:test", "value": value}]
    id_ = made(gp, weight(patient, identifier=identifier))["id"]
    asked = {"identifier": f"urn:test|{value}"}

    one = gp.patch("/Observation", params=asked, content=amend(), headers=JSON_PATCH)
    none = gp.patch("/Observation", params={"identifier": "urn:test|nobody"}, content=amend(), headers=JSON_PATCH)
    made(gp, weight(patient, identifier=identifier))
    several = gp.patch("/Observation", params=asked, content=amend(), headers=JSON_PATCH)
    unconditional = gp.patch("/Observation", content=amend(), headers=JSON_PATCH)

    assert one.status_code == 200, one.text
    assert one.json()["id"] == id_
    assert [none.status_code, several.status_code, unconditional.status_code] == [404, 412, 400]


def binary(patch: bytes, kind: str = "application/json-patch+json") -> dict[str, Any]:
    return {"resourceType": "Binary", "contentType": kind, "data": base64.b64encode(patch).decode()}


@pytest.mark.parametrize("type_", ["batch", "transaction"])
@pytest.mark.parametrize("fhir", [True, False])
def test_a_bundle_patches(gp: httpx.Client, weight: Weight, patient: str, type_: str, fhir: bool) -> None:
    id_ = made(gp, weight(patient))["id"]
    patch = fhirpath("Observation.status", valueCode="amended") if fhir else binary(amend())

    answer = in_bundle(gp, type_, f"Observation/{id_}", patch, ifMatch='W/"1"')
    again = in_bundle(gp, type_, f"Observation/{id_}", patch, ifMatch='W/"1"')

    assert answer.status_code == 200, answer.text
    (entry,) = answer.json()["entry"]
    assert entry["response"]["status"].startswith("200"), entry
    assert entry["resource"]["status"] == "amended"
    assert entry["response"]["etag"] == 'W/"2"'
    if type_ == "batch":
        assert again.json()["entry"][0]["response"]["status"].startswith("412")
    else:
        assert again.status_code == 412
        assert "Bundle.entry[0]" in again.json()["issue"][0]["diagnostics"]


@pytest.mark.parametrize("type_", ["batch", "transaction"])
def test_a_bundle_patches_what_matches(gp: httpx.Client, weight: Weight, patient: str, type_: str) -> None:
    value = str(uuid.uuid4())
    made(gp, weight(patient, identifier=[{"system": "urn:test", "value": value}]))

    answer = in_bundle(gp, type_, f"Observation?identifier=urn:test|{value}", binary(amend()))

    assert answer.json()["entry"][0]["resource"]["status"] == "amended", answer.text


def test_a_patch_of_a_transaction_refers_to_another_entry(gp: httpx.Client, weight: Weight, patient: str) -> None:
    id_, urn = made(gp, weight(patient))["id"], uuid.uuid4().urn
    patch = json.dumps([{"op": "add", "path": "/derivedFrom", "value": [{"reference": urn}]}]).encode()
    entries = [
        {"resource": binary(patch), "request": {"method": "PATCH", "url": f"Observation/{id_}"}},
        {
            "fullUrl": urn,
            "resource": json.loads(weight(patient)),
            "request": {"method": "POST", "url": "Observation"},
        },
    ]

    answer = gp.post("/", json={"resourceType": "Bundle", "type": "transaction", "entry": entries})

    assert answer.status_code == 200, answer.text
    patched, created = (entry["resource"] for entry in answer.json()["entry"])
    assert patched["derivedFrom"] == [{"reference": f"Observation/{created['id']}"}]


@pytest.mark.parametrize(
    "resource",
    [
        binary(b"[]", "text/plain"),
        {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": "%%"},
        {"resourceType": "Observation"},
        binary(b"{}"),
    ],
)
def test_a_bad_patch_of_a_transaction_is_named(
    gp: httpx.Client, weight: Weight, patient: str, resource: dict[str, Any]
) -> None:
    id_ = made(gp, weight(patient))["id"]

    answer = in_bundle(gp, "transaction", f"Observation/{id_}", resource)

    assert answer.status_code in (400, 415)
    assert "Bundle.entry[0]" in answer.json()["issue"][0]["diagnostics"]


def test_outside_the_team_a_patch_finds_nothing(
    gp: httpx.Client, outside: httpx.Client, weight: Weight, patient: str
) -> None:
    value = str(uuid.uuid4())
    id_ = made(gp, weight(patient, identifier=[{"system": "urn:test", "value": value}]))["id"]
    probing = json.dumps([{"op": "test", "path": "/status", "value": "final"}]).encode()

    def answers(id_: str, criteria: str) -> list[tuple[int, str]]:
        found = [
            outside.patch(f"/Observation/{id_}", content=body, headers={**JSON_PATCH, **more})
            for body in (amend(), probing)
            for more in ({}, {"if-match": 'W/"1"'}, {"if-none-match": "*"})
        ]
        found.append(outside.patch(f"/Observation/{id_}", json=fhirpath("Observation.status", valueCode="amended")))
        found.append(outside.patch(f"/Observation?{criteria}", content=probing, headers=JSON_PATCH))
        for type_ in ("batch", "transaction"):
            found.append(in_bundle(outside, type_, f"Observation/{id_}", binary(probing)))
            found.append(in_bundle(outside, type_, f"Observation?{criteria}", binary(probing)))
        return [(one.status_code, one.text.replace(id_, "ID")) for one in found]

    hidden = answers(id_, f"identifier=urn:test|{value}")
    assert hidden == answers(ABSENT, "identifier=urn:test|nobody")
    assert {status for status, _ in hidden} == {404, 200}  # 200 for the batch, whose entry says 404


def test_a_patch_needs_the_scope_to_read_what_it_shows(
    service: Any, gp: httpx.Client, weight: Weight, patient: str
) -> None:
    id_ = made(gp, weight(patient))["id"]

    with service.client("gp", "user/Observation.u") as client:
        blind = client.patch(f"/Observation/{id_}", content=amend(), headers=JSON_PATCH)
    with service.client("gp", "user/Observation.ru") as client:
        seeing = client.patch(f"/Observation/{id_}", content=amend(), headers=JSON_PATCH)

    assert [blind.status_code, seeing.status_code] == [403, 200]


def test_a_scope_with_criteria_bounds_both_sides_of_a_patch(
    service: Any, gp: httpx.Client, weight: Weight, patient: str
) -> None:
    category = "http://terminology.hl7.org/CodeSystem/observation-category"
    vital = {"category": [{"coding": [{"system": category, "code": "vital-signs"}]}]}
    other = {"category": [{"coding": [{"system": category, "code": "exam"}]}]}
    mine, theirs = made(gp, weight(patient, **vital))["id"], made(gp, weight(patient, **other))["id"]

    with service.client("gp", f"user/Observation.ru?category={category}|vital-signs") as client:
        outcomes = [
            client.patch(f"/Observation/{mine}", content=amend(), headers=JSON_PATCH).status_code,
            client.patch(f"/Observation/{theirs}", content=amend(), headers=JSON_PATCH).status_code,
            client.patch(
                f"/Observation/{mine}", content=amend(other["category"], "/category"), headers=JSON_PATCH
            ).status_code,
        ]

    assert outcomes == [200, 404, 403]
