"""What an answer looks like on the wire: laid out, compressed, of which media type. The content stays the same."""

import gzip
import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from .test_interactions import issue

pytestmark = pytest.mark.http

PLAIN = {"accept-encoding": "identity"}


@pytest.fixture(scope="module")
def weighed(gp: httpx.Client, patient: str, weight: Any) -> str:
    """A weight of 72.50 kg, with a text long enough to be compressed."""
    note = [{"text": "Pesée au domicile. " * 200}]
    made = gp.post("/Observation", content=weight(patient, note=note))
    assert made.status_code == 201
    return str(made.json()["id"])


def laid_out(answer: httpx.Response) -> None:
    assert answer.text.startswith('{\n  "resourceType": "'), answer.text
    assert answer.text.endswith("}\n")
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_every_answer_is_laid_out_when_that_is_asked(
    gp: httpx.Client, service: Any, patient: str, weighed: str
) -> None:
    with httpx.Client(base_url=service.fhir, headers={**gp.headers, **PLAIN}) as client:
        read = client.get(f"/Observation/{weighed}?_pretty=true")
        laid_out(read)
        assert '"value": 72.50,' in read.text
        assert json.loads(read.text) == client.get(f"/Observation/{weighed}?_pretty=false").json()
        for path in (
            f"/Observation?patient={patient}&_pretty=true",
            f"/Observation/{weighed}/_history?_pretty=true",
            f"/Patient/{patient}/$everything?_pretty=true",
            "/metadata?_pretty=true",
        ):
            found = client.get(path)
            assert found.status_code == 200
            laid_out(found)
            plain = client.get(path.replace("_pretty=true", "_pretty=false"))
            assert found.json() == json.loads(plain.text.replace("_pretty=false", "_pretty=true"))  # links keep it
        for asked in ({"_pretty": "true"}, {"_pretty": "true", "_format": "application/fhir+json"}):
            form = {"content-type": "application/x-www-form-urlencoded", "accept": "text/turtle, */*;q=0.1"}
            searched = client.post("/Observation/_search", data={"patient": patient, **asked}, headers=form)
            assert searched.status_code == 200
            laid_out(searched)
        for path, status in (("/Observation/none", 404), ("/Observation?nonsense=1", 400), ("/Nothing", 404)):
            refused = client.get(path, params={**httpx.URL(path).params, "_pretty": "true"})
            assert refused.status_code == status
            laid_out(refused)
        assert "_pretty" in issue(client.get(f"/Observation/{weighed}?_pretty=yes"))
    anonymous = httpx.get(f"{service.fhir}/Patient?_pretty=true", headers=PLAIN)
    assert anonymous.status_code == 401
    laid_out(anonymous)


def on_the_wire(service: Any, method: str, target: str, headers: dict[str, str]) -> tuple[Any, bytes]:
    """The response and its bytes as they came: no client unpacks them."""
    where = urlsplit(service.url)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=60)
    connection.request(method, f"/fhir{target}", headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def test_an_answer_is_compressed_for_who_takes_it(service: Any, gp: httpx.Client, weighed: str) -> None:
    caller = {"authorization": gp.headers["authorization"]}
    target = f"/Observation/{weighed}"
    plain, whole = on_the_wire(service, "GET", target, caller)
    assert plain.headers["content-encoding"] is None

    for pretty in ("", "?_pretty=true"):
        answer, packed = on_the_wire(service, "GET", target + pretty, {**caller, "accept-encoding": "gzip"})
        assert answer.headers["content-encoding"] == "gzip"
        assert int(answer.headers["content-length"]) == len(packed) < len(whole) / 2
        assert json.loads(gzip.decompress(packed)) == json.loads(whole)
        assert "accept-encoding" in answer.headers["vary"]
        assert answer.headers["etag"] == plain.headers["etag"]
    head, nothing = on_the_wire(service, "HEAD", target, {**caller, "accept-encoding": "gzip"})
    assert (head.headers["content-encoding"], head.headers["content-length"], nothing) == ("gzip", None, b"")
    length = on_the_wire(service, "HEAD", target, caller)[0].headers["content-length"]
    assert int(length) == len(whole)
    held, nothing = on_the_wire(
        service, "GET", target, {**caller, "accept-encoding": "gzip", "if-none-match": answer.headers["etag"]}
    )
    assert (held.status, held.headers["content-encoding"], nothing) == (304, None, b"")


def test_a_short_answer_is_not_compressed_unless_nothing_else_is_taken(service: Any, gp: httpx.Client) -> None:
    caller = {"authorization": gp.headers["authorization"]}

    short, body = on_the_wire(service, "GET", "/Patient/none", {**caller, "accept-encoding": "gzip"})
    packed, bytes_ = on_the_wire(service, "GET", "/Patient/none", {**caller, "accept-encoding": "gzip, identity;q=0"})
    refused, said = on_the_wire(service, "GET", "/Patient/none", {**caller, "accept-encoding": "br, identity;q=0"})

    assert short.headers["content-encoding"] is None
    assert (packed.headers["content-encoding"], gzip.decompress(bytes_)) == ("gzip", body)
    assert refused.status == 406
    assert "Accept-Encoding" in json.loads(said)["issue"][0]["diagnostics"]


def test_an_operation_by_post_is_not_compressed(service: Any, gp: httpx.Client, patient: str) -> None:
    """It may give out a token beside what the caller sent."""
    headers = {"authorization": gp.headers["authorization"], "accept-encoding": "gzip"}

    get, _ = on_the_wire(service, "GET", f"/Patient/{patient}/$everything", headers)
    post, body = on_the_wire(service, "POST", f"/Patient/{patient}/$everything", headers)
    batch = {"resourceType": "Bundle", "type": "batch", "entry": [{"request": {"method": "GET", "url": "Observation"}}]}
    for url, coding in (("Observation", "gzip"), (f"Patient/{patient}/$everything", None)):
        batch["entry"] = [{"request": {"method": "GET", "url": url}}] * 3
        answer = gp.post("/", json=batch, headers={"accept-encoding": "gzip"})
        assert answer.headers.get("content-encoding") == coding

    assert get.headers["content-encoding"] == "gzip"
    assert post.headers["content-encoding"] is None
    assert len(body) > 2048


def test_a_body_may_come_in_gzip(gp: httpx.Client, patient: str, weight: Any) -> None:
    packed = {"content-encoding": "gzip"}

    made = gp.post("/Observation", content=gzip.compress(weight(patient, "0.000000100")), headers=packed)
    assert made.status_code == 201
    assert '"value":0.000000100' in made.text
    form = {**packed, "content-type": "application/x-www-form-urlencoded"}
    found = gp.post("/Observation/_search", content=gzip.compress(f"patient={patient}".encode()), headers=form)
    assert found.json()["total"] >= 1
    patch = gzip.compress(b'[{"op":"replace","path":"/status","value":"amended"}]')
    asked = {**packed, "content-type": "application/json-patch+json"}
    changed = gp.patch(f"/Observation/{made.json()['id']}", content=patch, headers=asked)
    assert changed.json()["status"] == "amended"


def test_what_a_compressed_body_becomes_is_held_to_the_limit(gp: httpx.Client) -> None:
    bomb = gzip.compress(b" " * (16 * 1024 * 1024 + 1), 1)
    assert len(bomb) < 100_000

    refused = gp.post("/Observation", content=bomb, headers={"content-encoding": "gzip"})

    assert refused.status_code == 413
    assert "unpacked" in issue(refused)


@pytest.mark.parametrize("coding", ["br", "deflate", "zstd", "gzip, gzip", "compress"])
def test_another_coding_is_refused_and_told_which_is_read(gp: httpx.Client, coding: str) -> None:
    refused = gp.post("/Observation", content=b"{}", headers={"content-encoding": coding})

    assert refused.status_code == 415
    assert refused.headers["accept-encoding"] == "gzip"


def test_a_body_that_is_no_gzip_is_a_bad_request(gp: httpx.Client) -> None:
    refused = gp.post("/Observation", content=b"{}", headers={"content-encoding": "gzip"})

    assert refused.status_code == 400
    assert "gzip" in issue(refused)


@pytest.mark.parametrize(
    ("accept", "query", "media"),
    [
        ("*/*", "", "application/fhir+json"),
        ("application/json", "", "application/json"),
        ("application/json", "?_format=json", "application/fhir+json"),
        ("application/fhir+xml", "?_format=application/json", "application/json"),
        ("application/fhir+json;q=0.1, application/json", "", "application/json"),
    ],
)
def test_the_media_type_is_the_one_that_was_asked_for(
    gp: httpx.Client, patient: str, accept: str, query: str, media: str
) -> None:
    answer = gp.get(f"/Patient/{patient}{query}", headers={"accept": accept})

    assert answer.status_code == 200
    assert answer.headers["content-type"] == f"{media}; charset=utf-8"
    assert "accept" in answer.headers["vary"].split(", ")
