"""HEAD beside GET, and what headers say of the version that an answer is about."""

import json
from datetime import datetime
from typing import Any

import httpx
import pytest

from ..conftest import Service

pytestmark = pytest.mark.http

OWN = ("date", "x-request-id")


@pytest.fixture(scope="module")
def weighed(gp: httpx.Client, patient: str, weight: Any) -> str:
    made = gp.post("/Observation", content=weight(patient))
    assert made.status_code == 201
    return str(made.json()["id"])


def test_head_is_get_without_a_body(gp: httpx.Client, patient: str, weighed: str) -> None:
    paths = [
        f"/Observation/{weighed}",
        f"/Observation/{weighed}/_history/1",
        f"/Observation/{weighed}/_history",
        "/Observation/_history?_count=1",
        "/_history?_count=1",
        f"/Observation?patient={patient}",
        f"/?_type=Observation&patient={patient}",
        f"/Patient/{patient}/Observation",
        f"/Patient/{patient}/*",
        f"/Patient/{patient}/$everything",
        f"/Patient/{patient}/$summary",
        f"/Observation/{weighed}/$meta",
        f"/Observation/$lastn?patient={patient}",
        "/AuditEvent?_count=1",
        "/metadata",
        "/Observation/none",
        "/Observation?nonsense=1",
    ]
    for path in paths:
        get, head = (gp.request(method, path, headers={"accept-encoding": "identity"}) for method in ("GET", "HEAD"))
        assert head.content == b"", path
        assert get.content, path
        assert head.status_code == get.status_code, path
        assert int(get.headers["content-length"]) == len(get.content)
        for name, value in get.headers.items():
            # The link to the next page is sealed anew, and says of which moment it is.
            length = name == "content-length" and "_count=1" in path
            assert name in OWN or length or head.headers[name] == value, (path, name)


@pytest.mark.parametrize("path", ["/Patient/{}/$meta-add", "/Patient/$lookup", "/Patient/_search"])
def test_there_is_no_head_where_there_is_no_get(gp: httpx.Client, patient: str, path: str) -> None:
    assert gp.head(path.format(patient)).status_code == 405


def test_head_is_journaled_like_get(service: Service, gp: httpx.Client) -> None:
    mine = service.patient()
    with service.client("auditor", "user/AuditEvent.rs") as auditor:
        for path in (f"/Patient/{mine}", f"/Observation?patient={mine}", f"/Patient/{mine}/$everything"):
            before = _entries(auditor, mine)
            assert gp.get(path).status_code == 200
            between = _entries(auditor, mine)
            assert gp.head(path).status_code == 200
            after = _entries(auditor, mine)
            assert len(after) - len(between) == len(between) - len(before) > 0, path


def _entries(auditor: httpx.Client, patient: str) -> list[Any]:
    found = auditor.get("/AuditEvent", params={"patient": f"Patient/{patient}", "_count": "200"})
    assert found.status_code == 200, found.text
    return list(found.json().get("entry", []))


def test_an_answer_names_the_version_that_it_shows(
    service: Service, gp: httpx.Client, patient: str, weight: Any
) -> None:
    made = gp.post("/Observation", content=weight(patient))
    id_ = made.json()["id"]
    url = f"{service.settings.fhir_base}/Observation/{id_}/_history"
    changed = gp.put(f"/Observation/{id_}", content=json.dumps(made.json() | {"status": "amended"}))

    assert made.headers["content-location"] == made.headers["location"] == f"{url}/1"
    assert changed.headers["content-location"] == changed.headers["location"] == f"{url}/2"
    read = gp.get(f"/Observation/{id_}")
    assert read.headers["content-location"] == f"{url}/2"
    assert gp.get(f"/Observation/{id_}/_history/1").headers["content-location"] == f"{url}/1"
    held = gp.get(f"/Observation/{id_}", headers={"if-none-match": read.headers["etag"]})
    assert (held.status_code, held.headers["content-location"]) == (304, f"{url}/2")
    assert "content-location" not in gp.get(f"/Observation/{id_}?_summary=true").headers
    assert "content-location" not in gp.get("/Observation/none").headers


@pytest.mark.parametrize("wish", ["minimal", "representation", "OperationOutcome"])
def test_a_wish_that_is_followed_is_said_to_be(gp: httpx.Client, patient: str, weight: Any, wish: str) -> None:
    prefer = {"prefer": f"return={wish}"}

    made = gp.post("/Observation", content=weight(patient), headers=prefer)
    id_ = made.headers["location"].split("/")[-3]
    patched = gp.patch(
        f"/Observation/{id_}",
        content=b'[{"op":"replace","path":"/status","value":"amended"}]',
        headers={**prefer, "content-type": "application/json-patch+json"},
    )
    entry = {"resource": json.loads(weight(patient)), "request": {"method": "POST", "url": "Observation"}}
    bundle = gp.post("/", json={"resourceType": "Bundle", "type": "transaction", "entry": [entry]}, headers=prefer)
    deleted = gp.delete(f"/Observation/{id_}", headers=prefer)

    for answer in (made, patched, bundle):
        assert answer.headers["preference-applied"] == f"return={wish}"
        assert ("content-location" in answer.headers) is (wish == "representation" and answer is not bundle)
    assert deleted.headers.get("preference-applied") == (None if wish == "representation" else f"return={wish}")
    plain = gp.post("/Observation", content=weight(patient))
    assert "preference-applied" not in plain.headers


def test_handling_that_is_followed_is_said_to_be(gp: httpx.Client, patient: str) -> None:
    found = gp.get(f"/Observation?patient={patient}", headers={"prefer": "handling=strict"})

    assert found.headers["preference-applied"] == "handling=strict"


@pytest.mark.parametrize("kind", ["batch", "transaction"])
def test_an_entry_says_its_version_and_when_it_was_written(
    gp: httpx.Client, patient: str, weight: Any, kind: str, weighed: str
) -> None:
    old = gp.post("/Observation", content=weight(patient)).json()
    gone = gp.post("/Observation", content=weight(patient)).json()
    entries: list[dict[str, Any]] = [
        {"resource": json.loads(weight(patient)), "request": {"method": "POST", "url": "Observation"}},
        {"resource": old | {"status": "amended"}, "request": {"method": "PUT", "url": f"Observation/{old['id']}"}},
        {"request": {"method": "GET", "url": f"Observation/{weighed}"}},
        {"request": {"method": "DELETE", "url": f"Observation/{gone['id']}"}},
    ]

    answered = gp.post("/", json={"resourceType": "Bundle", "type": kind, "entry": entries}).json()["entry"]

    for entry, version in zip(answered[:3], ("1", "2", "1"), strict=True):
        assert entry["response"]["etag"] == f'W/"{version}"'
        assert entry["response"]["lastModified"] == entry["resource"]["meta"]["lastUpdated"]
    deletion = answered[3]["response"]
    assert deletion["etag"] == 'W/"2"'
    assert datetime.fromisoformat(deletion["lastModified"]).tzinfo is not None
    history = gp.get(f"/Observation/{gone['id']}/_history").json()["entry"][0]["response"]
    assert history["lastModified"] == deletion["lastModified"]
