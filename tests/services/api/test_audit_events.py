"""AuditEvent over HTTP: the auditor reads the journal of the real service, nobody writes it, each reading is in it."""

import uuid
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.http


def found(client: httpx.Client, query: str) -> list[dict[str, Any]]:
    answer = client.get(f"/AuditEvent?{query}")
    assert answer.status_code == 200, answer.text
    return [entry["resource"] for entry in answer.json().get("entry", [])]


def of_request(client: httpx.Client, patient: str, request_id: str) -> list[dict[str, Any]]:
    """The events of one request on this record."""
    return [
        event
        for event in found(client, f"patient=Patient/{patient}&_count=200")
        if any(one.get("what", {}).get("identifier", {}).get("value") == request_id for one in event["entity"])
    ]


def test_the_auditor_finds_who_read_what_by_which_rule(service: Any) -> None:
    patient, request_id = service.patient("gp"), uuid.uuid4().hex
    with service.client("gp") as gp, service.client("auditor") as auditor:
        assert gp.get(f"/Patient/{patient}", headers={"x-request-id": request_id}).status_code == 200
        (event,) = of_request(auditor, patient, request_id)
        assert event["agent"][0]["who"]["reference"] == service.people["gp"].practitioner
        assert "https://liaison.example/fhir/rule/2" in event["agent"][0]["policy"]
        assert (event["action"], event["outcome"], event["subtype"][0]["code"]) == ("R", "0", "read")
        assert event["entity"][1]["what"]["reference"].startswith(f"Patient/{patient}/_history/")
        read = auditor.get(f"/AuditEvent/{event['id']}")
        assert (read.status_code, read.json()) == (200, event)


def test_the_statement_names_the_profile_and_the_parameter_of_the_guide_to_traces(service: Any) -> None:
    ig = "https://interop.esante.gouv.fr/ig/fhir/tde"
    with service.client("gp") as browser:
        types = browser.get("/metadata").json()["rest"][0]["resource"]
    (audit,) = [one for one in types if one["type"] == "AuditEvent"]
    assert audit["supportedProfile"] == [f"{ig}/StructureDefinition/tde-auditevent"]
    parameters = {one["name"]: one for one in audit["searchParam"]}
    assert parameters["period-start"]["definition"] == f"{ig}/SearchParameter/TDE-AuditEvent-period-start"
    assert {"date", "type", "subtype", "agent", "agent-name", "altid", "agent-role"} <= parameters.keys()


def test_the_auditor_finds_who_was_refused_a_record(service: Any) -> None:
    patient, request_id = service.patient("gp"), uuid.uuid4().hex
    with service.client("gp_outside") as outside, service.client("auditor") as auditor:
        assert outside.get(f"/Patient/{patient}", headers={"x-request-id": request_id}).status_code == 404
        for asked in (f"patient=Patient/{patient}", f"entity=Patient/{patient}"):
            (event,) = found(auditor, f"{asked}&outcome=4")
            assert event["agent"][0]["who"]["reference"] == service.people["gp_outside"].practitioner
            assert event["entity"][0]["what"]["reference"] == f"Patient/{patient}"


def test_reading_the_journal_is_itself_in_it(service: Any) -> None:
    patient, request_id = service.patient("gp"), uuid.uuid4().hex
    with service.client("auditor") as auditor:
        auditor.get(f"/AuditEvent?patient=Patient/{patient}", headers={"x-request-id": request_id})
        (event,) = of_request(auditor, patient, request_id)
        assert event["type"]["code"] == "110101"
        assert event["agent"][0]["who"]["reference"] == service.people["auditor"].practitioner


def test_the_entry_of_a_write_says_which_labels_it_changed(service: Any) -> None:
    patient, class_ = service.patient("gp"), "https://liaison.example/fhir/CodeSystem/data-class"
    sensitive = {"meta": {"security": [{"system": class_, "code": "SENS"}]}}
    problem: dict[str, Any] = {
        "resourceType": "Condition", "code": {"text": "x"}, "subject": {"reference": f"Patient/{patient}"}
    }  # fmt: skip

    def classes(auditor: httpx.Client, request_id: str) -> dict[str, str]:
        (event,) = of_request(auditor, patient, request_id)
        return {
            detail["type"]: detail["valueString"]
            for entity in event["entity"]
            for detail in entity.get("detail", ())
            if detail["type"].startswith(class_)
        }

    with service.client("gp") as gp, service.client("auditor") as auditor:
        made = gp.post("/Condition", json={**problem, **sensitive}).json()
        asked = {name: uuid.uuid4().hex for name in ("the same", "opened")}
        same = {**made, "code": {"text": "y"}}
        opened = {**problem, "id": made["id"], "code": {"text": "y"}}
        for (name, id_), tree in zip(asked.items(), (same, opened), strict=True):
            answer = gp.put(f"/Condition/{made['id']}", json=tree, headers={"x-request-id": id_})
            assert answer.status_code == 200, (name, answer.text)

        assert classes(auditor, asked["the same"]) == {}
        assert classes(auditor, asked["opened"]) == {f"{class_}|before": "CLIN SENS", f"{class_}|after": "CLIN"}


def test_a_write_is_found_with_the_version_it_made(service: Any) -> None:
    patient = service.patient("gp")
    with service.client("auditor") as auditor:
        created = [event for event in found(auditor, f"patient=Patient/{patient}") if event["action"] == "C"]
        assert {one["what"]["reference"].partition("/")[0] for one in created[0]["entity"] if "what" in one} >= {
            "Patient",
            "CareTeam",
        }


@pytest.mark.parametrize("who", ["gp", "nurse", "admin", "gp_outside"])
def test_nobody_else_reads_it(service: Any, who: str) -> None:
    patient = service.patient("gp", "nurse")
    with service.client(who) as client, service.client("auditor") as auditor:
        assert found(client, f"patient=Patient/{patient}") == []
        id_ = found(auditor, f"patient=Patient/{patient}")[0]["id"]
        hidden, absent = client.get(f"/AuditEvent/{id_}"), client.get(f"/AuditEvent/{'0' * 16}-1")
        assert hidden.status_code == absent.status_code == 404
        assert hidden.content == absent.content


def test_the_auditor_sees_no_record(service: Any) -> None:
    patient = service.patient("gp")
    with service.client("auditor") as auditor:
        assert auditor.get(f"/Patient/{patient}").status_code == 404


@pytest.mark.parametrize("who", ["auditor", "admin", "gp"])
def test_nobody_writes_it(service: Any, who: str) -> None:
    patient = service.patient("gp")
    with service.client(who) as client, service.client("auditor") as auditor:
        event = found(auditor, f"patient=Patient/{patient}")[0]
        path = f"/AuditEvent/{event['id']}"
        for answer in (
            client.post("/AuditEvent", json=event),
            client.put(path, json={**event, "outcome": "0"}),
            client.delete(path),
        ):
            assert answer.status_code in (403, 405), answer.text
        entry = {"resource": event, "request": {"method": "POST", "url": "AuditEvent"}}
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
        assert client.post("", json=bundle).status_code >= 400
        assert found(auditor, f"_id={event['id']}&patient=Patient/{patient}") == [event]


def test_a_token_without_the_scope_is_refused(service: Any) -> None:
    with service.client("auditor", scope="user/Patient.rs") as narrow:
        assert narrow.get("/AuditEvent").status_code == 403


def test_learning_that_a_copy_is_current_is_a_read_of_the_record(service: Any) -> None:
    patient, request_id = service.patient("gp"), uuid.uuid4().hex
    with service.client("gp") as gp, service.client("auditor") as auditor:
        etag = gp.get(f"/Patient/{patient}").headers["etag"]
        asked = {"x-request-id": request_id, "if-none-match": etag}
        assert gp.get(f"/Patient/{patient}", headers=asked).status_code == 304
        (event,) = of_request(auditor, patient, request_id)
        assert event["subtype"][0]["code"] == "read"
        assert event["entity"][1]["what"]["reference"].startswith(f"Patient/{patient}/_history/")
