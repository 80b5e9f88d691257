"""A whole record in one transaction over HTTP: thousands of entries, or none."""

import gzip
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.http

SAMPLE = os.environ.get("LIAISON_SAMPLE_DATA", "")
CONDITIONAL = re.compile(r"(Practitioner|Organization|Location)\?identifier=([^\"|]+)\|([^\"]+)")


def furnish(service: Any, text: str) -> None:
    """Makes the directory entries that the conditional references of a bundle name."""
    entries = [
        {
            "resource": {
                "resourceType": type_,
                "identifier": [{"system": system, "value": value}],
                **({"name": "Lieu"} if type_ != "Practitioner" else {}),
            },
            "request": {"method": "POST", "url": type_, "ifNoneExist": f"identifier={system}|{value}"},
        }
        for type_, system, value in sorted(set(CONDITIONAL.findall(text)))
    ]
    with service.client("admin") as admin:
        answer = admin.post("/", json={"resourceType": "Bundle", "type": "transaction", "entry": entries})
        assert answer.status_code == 200, answer.text[:500]


def load(service: Any, text: str) -> httpx.Response:
    with service.client("gp") as gp:
        answer: httpx.Response = gp.post("/", content=text.encode(), headers={"prefer": "return=minimal"})
        return answer


def check(service: Any, text: str, answer: httpx.Response) -> None:
    assert answer.status_code == 200, answer.text[:1000]
    sent = json.loads(text)["entry"]
    written = answer.json()["entry"]
    assert [entry["response"]["status"][:3] for entry in written] == ["201"] * len(sent)
    types = [entry["resource"]["resourceType"] for entry in sent]
    assert [entry["response"]["location"].split("/")[-4] for entry in written] == types
    patient = written[types.index("Patient")]["response"]["location"].split("/")[-3]
    with service.client("gp") as gp:
        counted = gp.get("/Observation", params={"patient": patient, "_summary": "count"}).json()
    assert counted["total"] == types.count("Observation")


def test_a_record_of_thousands_of_entries_is_one_transaction(
    service: Any, record_bundle: Callable[[str, int], dict[str, Any]]
) -> None:
    text = json.dumps(record_bundle("large", 3419))
    furnish(service, text)

    answer = load(service, text)

    check(service, text, answer)


def test_one_unmatched_reference_of_thousands_fails_it_whole(
    service: Any, record_bundle: Callable[[str, int], dict[str, Any]]
) -> None:
    text = json.dumps(record_bundle("lost", 1000))
    furnish(service, text)
    lost = text.replace("Organization?identifier=http://example.org/places|7", "Organization?identifier=nowhere|7", 1)

    answer = load(service, lost)

    assert answer.status_code == 422
    assert "Organization?identifier=nowhere|7" in answer.json()["issue"][0]["diagnostics"]
    assert answer.json()["issue"][0]["expression"][0].startswith("Bundle.entry[")


@pytest.mark.skipif(not SAMPLE, reason="LIAISON_SAMPLE_DATA is not set: the real sample records are not here")
def test_the_largest_real_record_is_one_transaction(service: Any) -> None:
    path = Path(SAMPLE) / "synthea" / "e5a8d3f4-4484-ebfd-7404-d9f02c9fe6a6.json.gz"
    text = gzip.decompress(path.read_bytes()).decode()
    assert len(json.loads(text)["entry"]) == 3419
    furnish(service, text)

    answer = load(service, text)

    check(service, text, answer)
