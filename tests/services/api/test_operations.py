"""The operations on the record over HTTP, on the real service, with the given sample data where it is."""

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from liaison.fhir.model import problems, read

pytestmark = pytest.mark.http
SAMPLE = os.environ.get("LIAISON_SAMPLE_DATA", "")
Tree = dict[str, Any]


@pytest.fixture(scope="module")
def gp(service: Any) -> Iterator[httpx.Client]:
    with service.client("gp") as client:
        yield client


@pytest.fixture(scope="module")
def given(service: Any) -> tuple[str, list[Tree]]:
    """The id of a given patient whose team the gp is on, and the resources of their file."""
    if not SAMPLE:
        pytest.skip("LIAISON_SAMPLE_DATA is not set: the given records are not here")
    files = sorted(Path(SAMPLE, "synthea").glob("*.json.gz"), key=lambda path: path.stat().st_size)
    file = next(path for path in files if not path.name.startswith("0-"))
    entries = json.loads(_without_conditional(gzip.decompress(file.read_bytes()).decode()))["entry"]
    made = service.write([*entries, _team(service, entries)])
    patient = next(one for one in made if one.startswith("Patient/")).partition("/")[2]
    return patient, [entry["resource"] for entry in entries]


def _without_conditional(text: str) -> str:
    """The practitioners and places of the given data are another file: their references become logical ones."""

    def logical(node: dict[str, Any]) -> dict[str, Any]:
        reference = node.get("reference")
        if isinstance(reference, str) and "?" in reference:
            return {"identifier": {"value": node.pop("reference")}, **node}
        return node

    return json.dumps(json.loads(text, object_hook=logical))


def _team(service: Any, entries: list[Tree]) -> Tree:
    url = next(entry["fullUrl"] for entry in entries if entry["resource"]["resourceType"] == "Patient")
    member = {"member": {"reference": service.people["gp"].practitioner}, "period": {"start": "2020-01-01"}}
    team = {"resourceType": "CareTeam", "status": "active", "subject": {"reference": url}, "participant": [member]}
    return {"fullUrl": "urn:uuid:team", "resource": team, "request": {"method": "POST", "url": "CareTeam"}}


def names(bundle: Tree) -> list[str]:
    trees = [entry["resource"] for entry in bundle.get("entry", ())]
    return [f"{tree['resourceType']}/{tree['id']}" for tree in trees if "id" in tree]


def test_everything_is_what_was_given(gp: httpx.Client, given: tuple[str, list[Tree]]) -> None:
    patient, resources = given
    bundle = gp.get(f"/Patient/{patient}/$everything").json()
    matches = [entry["resource"] for entry in bundle["entry"] if entry["search"]["mode"] == "match"]

    types = sorted(tree["resourceType"] for tree in matches)
    assert types == sorted([*(tree["resourceType"] for tree in resources), "CareTeam"])
    assert bundle["total"] == len(matches)
    assert len(names(bundle)) == len(set(names(bundle)))
    assert problems(read(json.dumps(bundle).encode())) == [] or all(
        one.severity == "warning" for one in problems(read(json.dumps(bundle).encode()))
    )


def test_its_pages_over_the_wire(gp: httpx.Client, given: tuple[str, list[Tree]]) -> None:
    patient, _ = given
    whole = gp.get(f"/Patient/{patient}/$everything").json()
    page = gp.get(f"/Patient/{patient}/$everything", params={"_count": 20}).json()
    seen = names(page)
    while following := next((link["url"] for link in page["link"] if link["relation"] == "next"), None):
        page = gp.get(following.replace("https://liaison.test/fhir", "")).json()
        seen += names(page)

    assert sorted(seen) == sorted(names(whole))


def test_the_summary_of_a_given_record_is_a_valid_document(gp: httpx.Client, given: tuple[str, list[Tree]]) -> None:
    patient, _ = given
    answer = gp.get(f"/Patient/{patient}/$summary")
    again = gp.post(f"/Patient/{patient}/$summary")
    document = answer.json()

    assert answer.status_code == 200
    assert answer.content == again.content
    assert [one for one in problems(read(answer.content)) if one.severity == "error"] == []
    assert document["type"] == "document"
    titles = [section["title"] for section in document["entry"][0]["resource"]["section"]]
    assert {"Problèmes de santé", "Allergies et intolérances", "Traitements médicamenteux"} <= set(titles)
    assert len(titles) > 3


def test_lastn_has_one_of_each_code(gp: httpx.Client, given: tuple[str, list[Tree]]) -> None:
    """Held against the given file itself."""
    patient, resources = given
    found = gp.get("/Observation/$lastn", params={"patient": patient, "category": "vital-signs"}).json()
    newest: dict[str, str] = {}
    for tree in resources:
        if tree["resourceType"] == "Observation" and tree["category"][0]["coding"][0]["code"] == "vital-signs":
            code = tree["code"]["coding"][0]["code"]
            newest[code] = max(newest.get(code, ""), tree["effectiveDateTime"])
    shown = {
        entry["resource"]["code"]["coding"][0]["code"]: entry["resource"]["effectiveDateTime"]
        for entry in found["entry"]
    }

    assert shown == newest


def test_whoever_is_outside_the_team_gets_what_nobody_gets(service: Any, gp: httpx.Client) -> None:
    """Byte for byte, but for the id asked for and the request's own number."""
    patient = service.patient("gp")
    weight = gp.post(
        "/Observation",
        json={"resourceType": "Observation", "status": "final", "code": {"text": "x"},
              "subject": {"reference": f"Patient/{patient}"}},
    ).json()["id"]  # fmt: skip
    labels = {"resourceType": "Parameters", "parameter": [
        {"name": "meta", "valueMeta": {"tag": [{"system": "urn:x", "code": "y"}]}}]}  # fmt: skip
    with service.client("gp_outside") as outside:
        for method, path, body in (
            ("GET", "/Patient/{patient}/$everything", None),
            ("POST", "/Patient/{patient}/$everything", None),
            ("GET", "/Patient/{patient}/$summary", None),
            ("GET", "/Encounter/{weight}/$everything", None),
            ("GET", "/Observation/{weight}/$meta", None),
            ("POST", "/Observation/{weight}/$meta-add", labels),
            ("POST", "/Observation/{weight}/$meta-delete", labels),
            ("GET", "/Observation/{weight}/$validate", None),
            ("POST", "/Observation/{weight}/$validate?mode=delete", None),
            ("GET", "/Observation/$lastn?patient={patient}&code=x", None),
        ):
            answers = []
            for ids in ({"patient": patient, "weight": weight}, {"patient": "0" * 32, "weight": "1" * 32}):
                answer = outside.request(method, path.format(**ids), json=body)
                content = answer.content
                for id_ in ids.values():
                    content = content.replace(id_.encode(), b"ID")
                headers = {
                    name: value for name, value in answer.headers.items() if name not in ("date", "x-request-id")
                }
                answers.append((answer.status_code, content, headers))
            assert answers[0] == answers[1], path


def test_what_is_not_served_is_said(gp: httpx.Client) -> None:
    assert gp.get("/Observation/$everything").status_code == 404
    assert gp.get(f"/Observation/{'0' * 32}/$meta-add").status_code == 405
    assert gp.get(f"/Observation/{'0' * 32}/$meta-add").headers["allow"] == "POST, OPTIONS"
    assert gp.get("/Patient/$nonsense").status_code == 404
    refused = gp.get(f"/Patient/{'0' * 32}/$everything", params={"_page": 2})
    assert refused.status_code == 400 and "_page" in refused.text


def test_a_batch_may_hold_operations(service: Any, gp: httpx.Client) -> None:
    patient = service.patient("gp")
    entry = {"request": {"method": "GET", "url": f"Patient/{patient}/$everything"}}
    found = gp.post("", json={"resourceType": "Bundle", "type": "batch", "entry": [entry]}).json()

    assert found["entry"][0]["response"]["status"] == "200 OK"
    assert f"Patient/{patient}" in names(found["entry"][0]["resource"])
