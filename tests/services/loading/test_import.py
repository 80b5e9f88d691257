"""`liaison import`, as an operator runs it: on bundles made here, of the shapes of the large public sets."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from liaison.auth.access import vocabulary

from .conftest import Run

pytestmark = pytest.mark.http

Tree = dict[str, Any]


def put(folder: Path, name: str, tree: Tree) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(tree), "utf-8")
    return folder / name


def types(bundle: Tree) -> dict[str, int]:
    return dict(sorted(Counter(entry["resource"]["resourceType"] for entry in bundle["entry"]).items()))


def test_everything_is_stored_once_however_often_it_is_imported(
    run: Run, tmp_path: Path, practitioners_bundle: Tree, record_bundle: Callable[[str, int], Tree]
) -> None:
    folder = tmp_path / "files"
    put(folder, "0-practitioners.json", practitioners_bundle)
    records = [record_bundle(seed, 120) for seed in ("one", "two")]
    for number, record in enumerate(records, 1):
        put(folder, f"{number}.json", record)
    expected = dict(
        sorted(sum((Counter(types(bundle)) for bundle in (practitioners_bundle, *records)), Counter()).items())
    )

    code, first = run("--unresolved", "logical", folder)
    assert (code, first["refused"]) == (0, [])
    assert first["created"] == expected
    # Practitioners are found by their identifiers; organisations and locations are nowhere.
    assert {text.partition("?")[0] for text in first["unmatched_references"]} == {"Location", "Organization"}
    code, second = run("--unresolved", "logical", folder)
    assert code == 0
    assert second["created"] == second["updated"] == {}
    assert second["unchanged"] == expected


def test_a_changed_resource_is_a_new_version(run: Run, tmp_path: Path) -> None:
    patient = {"resourceType": "Patient", "id": "p", "active": True}
    path = put(tmp_path / "files", "p.json", patient)
    run(path)

    put(tmp_path / "files", "p.json", {**patient, "active": False})

    assert run(path)[1]["updated"] == {"Patient": 1}
    assert run(path)[1]["unchanged"] == {"Patient": 1}


def test_a_name_that_stood_for_another_type_is_refused_and_said(run: Run, tmp_path: Path) -> None:
    name = "urn:uuid:5d3c1a76-0a7e-4a2f-8d0b-4d1f5f0c7a11"

    def bundle(tree: Tree) -> Tree:
        entry = {"fullUrl": name, "resource": tree, "request": {"method": "POST", "url": tree["resourceType"]}}
        return {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}

    run(put(tmp_path, "first.json", bundle({"resourceType": "Organization", "name": "CCAS"})))
    code, report = run(put(tmp_path, "second.json", bundle({"resourceType": "Location", "name": "Mairie"})))

    assert code == 1
    assert "stood for a resource of type Organization" in report["refused"][0]["reason"]


def test_another_source_has_its_own_ids(run: Run, tmp_path: Path) -> None:
    path = put(tmp_path / "files", "p.json", {"resourceType": "Patient", "id": "p"})

    assert run(path)[1]["created"] == {"Patient": 1}
    assert run("--source", "other", path)[1]["created"] == {"Patient": 1}


def test_an_unmatched_reference_refuses_its_bundle_and_is_named(
    run: Run, tmp_path: Path, practitioners_bundle: Tree, record_bundle: Callable[[str, int], Tree]
) -> None:
    folder = tmp_path / "files"
    put(folder, "0.json", practitioners_bundle)
    record = record_bundle("one", 40)
    put(folder, "1.json", record)

    code, report = run(folder)

    assert code == 1
    assert report["created"] == types(practitioners_bundle)
    assert len(report["refused"]) == len(record["entry"])
    assert any("Organization?identifier=" in one["reason"] for one in report["refused"])


def test_files_of_a_folder_refer_to_each_other_in_any_order(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    put(folder, "a.json", {"resourceType": "List", "id": "l", "status": "current", "mode": "working",
                           "subject": {"reference": "Patient/p"}, "entry": [{"item": {"reference": "Flag/f"}}]})  # fmt: skip
    put(folder, "b.json", {"resourceType": "Flag", "id": "f", "status": "active", "code": {"text": "x"},
                           "subject": {"reference": "Patient/p"}})  # fmt: skip
    put(folder, "c.json", {"resourceType": "Patient", "id": "p"})

    assert run(folder)[1]["created"] == {"Flag": 1, "List": 1, "Patient": 1}


def test_an_attachment_leads_to_the_binary_of_its_bundle(run: Run, tmp_path: Path) -> None:
    one, two, three = (f"urn:uuid:00000000-0000-4000-8000-00000000000{number}" for number in range(3))
    resources: dict[str, dict[str, Any]] = {
        one: {"resourceType": "Binary", "contentType": "text/plain", "data": "QQ=="},
        two: {"resourceType": "DocumentReference", "status": "current", "subject": {"reference": three},
              "content": [{"attachment": {"contentType": "text/plain", "url": one}}]},
        three: {"resourceType": "Patient"},
    }  # fmt: skip
    entries = [
        {"fullUrl": url, "resource": tree, "request": {"method": "POST", "url": tree["resourceType"]}}
        for url, tree in resources.items()
    ]
    path = put(tmp_path / "files", "a.json", {"resourceType": "Bundle", "type": "transaction", "entry": entries})

    # The Binary has no patient of its own: only the link can give it one.
    assert run(path)[1]["created"] == {"Binary": 1, "DocumentReference": 1, "Patient": 1}


def test_lines_that_refer_to_later_ones_are_tried_again(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    put(folder, "1.json", {"resourceType": "Flag", "id": "f", "status": "active", "code": {"text": "x"},
                           "subject": {"reference": "Patient/p"}})  # fmt: skip
    patients = "".join(json.dumps({"resourceType": "Patient", "id": id_}) + "\n" for id_ in "opq")
    (folder / "2.ndjson").write_text(patients)

    code, report = run(folder)

    assert code == 0
    assert report["created"] == {"Flag": 1, "Patient": 3}


def test_what_cannot_be_stored_is_said_and_the_rest_is_stored(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    put(folder, "a.json", {"resourceType": "Patient", "id": "a"})
    put(folder, "b.json", {"resourceType": "Patient", "id": "b", "gender": "nonsense"})
    put(folder, "c.json", {"resourceType": "Flag", "status": "active", "code": {"text": "x"},
                           "subject": {"reference": "Patient/b"}})  # fmt: skip
    (folder / "d.json").write_text("nope")

    code, report = run(folder)

    assert code == 1
    assert report["created"] == {"Patient": 1}
    reasons = {Path(one["where"]).name: one["reason"] for one in report["refused"]}
    assert sorted(reasons) == ["b.json", "c.json", "d.json"]
    assert "gender" in reasons["b.json"]
    assert "Patient/b" in reasons["c.json"] or "Flag.subject" in reasons["c.json"]
    assert "line 1" in reasons["d.json"]


def test_what_is_no_resource_is_said_and_the_rest_is_stored(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    put(folder, "1.json", {"a": 1})
    put(folder, "2.json", {"resourceType": 5})
    put(folder, "3.json", {"resourceType": "Patient", "id": "p"})
    put(folder, "4.json", {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": {"b": 2}}]})
    (folder / "5.json.gz").write_text("{}")

    code, report = run(folder)

    assert code == 1
    assert report["created"] == {"Patient": 1}
    assert [one["where"].rsplit("/", 1)[-1].split()[0] for one in report["refused"]] == [
        "1.json", "2.json", "4.json", "5.json.gz",
    ]  # fmt: skip


def test_what_has_no_name_is_stored_once_however_often_it_is_imported(run: Run, tmp_path: Path) -> None:
    note = {"resourceType": "Organization", "active": True, "name": "Sans nom"}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": note}, {"resource": note}]}
    folder = tmp_path / "files"
    put(folder, "1.json", note)
    put(folder, "2.json", bundle)
    put(folder, "3.json", {**note, "name": "Autre"})

    runs = [run(folder)[1] for _ in range(2)]

    assert [(one["created"], one["unchanged"]) for one in runs] == [
        ({"Organization": 2}, {"Organization": 2}),
        ({}, {"Organization": 4}),
    ]


def test_a_name_that_comes_twice_stands_for_two_states(run: Run, tmp_path: Path) -> None:
    states = [{"resourceType": "Organization", "id": "o", "name": name} for name in ("Avant", "Après")]
    entries = [{"fullUrl": "urn:uuid:0f0e7d9a-6d43-4a0e-9a3c-1f2f6a3a9b11", "resource": one} for one in states]
    path = put(tmp_path / "files", "1.json", {"resourceType": "Bundle", "type": "collection", "entry": entries})

    code, report = run(path)

    assert (code, report["created"], report["updated"]) == (0, {"Organization": 1}, {"Organization": 1})


def test_a_wrong_check_digit_is_a_warning(run: Run, tmp_path: Path) -> None:
    matricule = {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "123456789012244"}
    put(tmp_path / "files", "a.json", {"resourceType": "Patient", "id": "a", "identifier": [matricule]})

    code, report = run(tmp_path / "files")

    assert (code, report["created"]) == (0, {"Patient": 1})
    [doubtful] = report["doubtful"]
    assert doubtful["where"].endswith("a.json")
    assert "INS" in doubtful["warning"] and matricule["value"] not in doubtful["warning"]


def test_a_path_that_is_not_there_is_a_failure(tmp_path: Path) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("liaison")), "import", str(tmp_path / "nothing")],
        capture_output=True,
        check=False,
        text=True,
    )

    assert done.returncode == 1
    assert "nothing does not exist" in done.stderr


SAMPLE = os.environ.get("LIAISON_SAMPLE_DATA", "")

SYNTHEA = {
    "AllergyIntolerance": 24,
    "CarePlan": 94,
    "CareTeam": 94,
    "Claim": 1450,
    "Condition": 266,
    "Device": 1,
    "DiagnosticReport": 1568,
    "DocumentReference": 825,
    "Encounter": 825,
    "ExplanationOfBenefit": 825,
    "ImagingStudy": 86,
    "Immunization": 348,
    "Medication": 183,
    "MedicationAdministration": 183,
    "MedicationRequest": 625,
    "Observation": 10253,
    "Patient": 21,
    "Practitioner": 195,
    "PractitionerRole": 195,
    "Procedure": 828,
    "Provenance": 21,
    "SupplyDelivery": 294,
}

FRENCH_REFUSED = {
    # No patient of this territory: on another server, contained, or not among the examples.
    "Appointment-example-req-appointment.json": "Appointment.participant.actor",
    "CommunicationRequest-com1.json": "CommunicationRequest.subject",
    "CommunicationRequest-com2.json": "CommunicationRequest.subject",
    "Consent-FRCoreConsentExample.json": "Consent.patient",
    "RelatedPerson-FRCoreRelatedPersonExample.json": "RelatedPerson.patient",
    # Nothing refers to them.
    "Binary-6789.json": "Binary.securityContext",
    "Bundle-transaction-response-bundle.json": "refers to it",
    "Device-DeviceExample.json": "Device.patient",
    "Subscription-sub1.json": "refers to it",
    # The journal is the service's own.
    "AuditEvent-TDEAuditEventExample.json": "journal",
    "AuditEvent-TDEAuditEventExample-2.json": "journal",
    "Bundle-TDEBundleResultatReponseRechercheTracesExample.json": "journal",
}


real = pytest.mark.skipif(not SAMPLE, reason="LIAISON_SAMPLE_DATA is not set: the real sample records are not here")


@real
@pytest.mark.timeout(600)
def test_every_real_sample_bundle_loads(run: Run) -> None:
    code, report = run("--unresolved", "logical", Path(SAMPLE) / "synthea")

    assert (code, report["refused"]) == (0, [])
    assert report["read"] == 19204
    assert report["created"] == SYNTHEA
    assert {text.partition("?")[0] for text in report["unmatched_references"]} == {"Location", "Organization"}
    assert sum(report["unmatched_references"].values()) == 7810


@real
@pytest.mark.proof  # of everything; the French examples and the records made here are imported twice each time
@pytest.mark.timeout(1200)
def test_every_real_sample_bundle_is_stored_once(run: Run) -> None:
    run("--unresolved", "logical", Path(SAMPLE) / "synthea")
    again = run("--unresolved", "logical", Path(SAMPLE) / "synthea")[1]

    assert again["unchanged"] == SYNTHEA
    assert again["created"] == again["updated"] == {}


@real
def test_every_french_example_that_one_may_store_is_stored(run: Run) -> None:
    code, report = run("--unresolved", "logical", Path(SAMPLE) / "fr-examples")

    assert code == 1
    refused = {Path(one["where"].split(" ")[0]).name: one["reason"] for one in report["refused"]}
    assert refused.keys() == FRENCH_REFUSED.keys()
    assert not [name for name, rule in FRENCH_REFUSED.items() if rule not in refused[name]]
    assert report["created"] == FRENCH_CREATED
    assert (
        sum(report["created"].values())
        + sum(report["updated"].values())
        + sum(report["unchanged"].values())
        + len(report["refused"])
        == report["read"]
    )
    again = run("--unresolved", "logical", Path(SAMPLE) / "fr-examples")[1]
    assert again["created"] == again["updated"] == {}


FRENCH_CREATED = {
    "CareTeam": 1,
    "DocumentReference": 3,
    "List": 1,
    "Organization": 3,
    "Patient": 5,
    "Practitioner": 4,
    "PractitionerRole": 2,
    "RelatedPerson": 1,
    "Schedule": 2,
    "Slot": 2,
}


@pytest.mark.parametrize("kind", ["batch", "collection"])
def test_two_conditional_creates_of_one_bundle_make_one(run: Run, tmp_path: Path, kind: str) -> None:
    """Also when the first of them is a plain create, and for whatever else refers to the second."""

    def entry(name: str, value: str, once: bool) -> Tree:
        doctor = {"resourceType": "Practitioner", "identifier": [{"system": "urn:npi", "value": value}]}
        request = {"method": "POST", "url": "Practitioner"}
        if once:
            request["ifNoneExist"] = f"identifier=urn:npi|{value}"
        return {"fullUrl": f"urn:uuid:00000000-0000-4000-8000-{name:>012}", "resource": doctor, "request": request}

    entries = [entry("1", "a", True), entry("2", "a", True), entry("3", "a", True)]
    entries += [entry("4", "b", False), entry("5", "b", True), entry("6", "c", True)]
    role = {"resourceType": "PractitionerRole", "practitioner": {"reference": entries[1]["fullUrl"]}}
    entries.append({"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000009", "resource": role})
    path = put(tmp_path / "files", "one.json", {"resourceType": "Bundle", "type": kind, "entry": entries})

    code, report = run(path)

    assert (code, report["refused"]) == (0, [])
    assert report["created"] == {"Practitioner": 3, "PractitionerRole": 1}
    assert report["unchanged"] == {"Practitioner": 3}
    assert run(path)[1]["created"] == {}


def test_a_nurse_is_no_doctor_s_substitute_by_an_import_either(run: Run, tmp_path: Path) -> None:
    """What is imported with it is stored."""

    def role(name: str, of: str, code: str, **more: Any) -> Tree:
        coding = [{"system": vocabulary.ROLE, "code": code}]
        practitioner = {"reference": f"Practitioner/{of}"}
        tree = {"resourceType": "PractitionerRole", "id": name, "active": True, "practitioner": practitioner}
        return {**tree, "code": [{"coding": coding}], **more}

    instead = {
        "extension": [{"url": vocabulary.ACTS_FOR, "valueReference": {"reference": "PractitionerRole/gp"}}],
        "period": {"start": "2026-01-01", "end": "2099-01-01"},
    }
    practitioners = [
        {"resourceType": "Practitioner", "id": name, "active": True} for name in ("doctor", "nurse", "unknown")
    ]
    known = [*practitioners, role("gp", "doctor", "gp"), role("nurse", "nurse", "nurse")]
    instead_of = [
        role("nurse-instead", "nurse", "substitute", **instead),
        role("unknown-instead", "unknown", "substitute", **instead),
    ]

    def files(trees: list[Tree]) -> Path:
        for tree in trees:
            put(tmp_path / "files", f"{tree['resourceType']}-{tree['id']}.json", tree)
        return tmp_path / "files"

    assert run(files(known))[0] == 0
    code, report = run(files(instead_of))

    assert code == 1
    [refused] = report["refused"]
    assert "nurse-instead" in refused["where"]
    assert "of the same profession (doctor)" in refused["reason"]
    assert report["created"] == {"PractitionerRole": 1}
