"""Bad input: each gets a clear OperationOutcome, and changes nothing."""

import contextlib
import http.client
import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

pytestmark = pytest.mark.http


@pytest.fixture(scope="module")
def gp(service: Any) -> Iterator[httpx.Client]:
    with service.client("gp") as client:
        yield client


def outcome(response: httpx.Response, status: int) -> str:
    assert response.status_code == status, response.text
    tree = response.json()
    assert tree["resourceType"] == "OperationOutcome"
    return " ".join(issue["diagnostics"] for issue in tree["issue"])


def test_malformed_json_says_where(gp: httpx.Client) -> None:
    assert "line 2, column 3" in outcome(gp.post("/Observation", content=b'{"resourceType":\n  nope}'), 400)


def test_the_type_of_the_body_is_that_of_the_url(gp: httpx.Client) -> None:
    assert "Observation" in outcome(gp.post("/Observation", content=b'{"resourceType":"Patient"}'), 400)


def test_the_id_of_the_body_is_that_of_the_url(gp: httpx.Client) -> None:
    body = b'{"resourceType":"Patient","id":"other"}'

    assert "id" in outcome(gp.put("/Patient/0123456789abcdef0123456789abcdef", content=body), 400)


def test_an_unknown_type_is_named(gp: httpx.Client) -> None:
    assert "Pateint" in outcome(gp.get("/Pateint/1"), 404)


def test_xml_is_not_read(gp: httpx.Client) -> None:
    response = gp.post("/Patient", content=b"<Patient/>", headers={"content-type": "application/fhir+xml"})

    assert "JSON" in outcome(response, 415)


def test_xml_is_not_given(gp: httpx.Client) -> None:
    outcome(gp.get("/metadata", headers={"accept": "application/fhir+xml"}), 406)
    outcome(gp.get("/metadata?_format=xml"), 406)


def test_an_empty_body_is_named(gp: httpx.Client) -> None:
    assert "empty" in outcome(gp.post("/Patient", content=b""), 400)
    assert "empty" in outcome(gp.post("/", content=b""), 400)
    untyped = gp.build_request("POST", "/Patient", content=b"")
    untyped.headers.pop("content-type", None)
    assert "empty" in outcome(gp.send(untyped), 400)


def test_seventeen_megabytes_are_too_large(gp: httpx.Client) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(17):
            yield b" " * 1024 * 1024

    assert "larger" in outcome(gp.post("/Patient", content=b" " * 17 * 1024 * 1024), 413)
    assert "larger" in outcome(gp.post("/Patient", content=chunks()), 413)


@pytest.mark.parametrize("path", ["/fhir/Patient", "/fhir/", "/connexion", "/oauth/token", "/nowhere"])
@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_a_client_that_hears_nothing_before_it_has_sent_all_is_answered(
    service: Any, gp: httpx.Client, path: str, known: bool
) -> None:
    """Python's own client is one: it sends to the end, asks that the connection close, and only then listens."""
    headers = {"content-type": "application/fhir+json", "connection": "close"}
    if known:
        headers["authorization"] = gp.headers["authorization"]
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=60)

    with contextlib.closing(connection):
        connection.request("POST", path, b" " * 17 * 1024 * 1024, headers)
        assert 400 <= connection.getresponse().status < 500


def test_a_thousand_levels_are_too_deep(gp: httpx.Client) -> None:
    body = b'{"resourceType":"Patient","extension":' + b'[{"extension":' * 500 + b"[]" + b"}]" * 500 + b"}"

    assert "deep" in outcome(gp.post("/Patient", content=body), 400)


@pytest.mark.parametrize(
    "body", [b'{"resourceType":"Patient","a":NaN}', b'{"resourceType":"Patient","id":"1","id":"2"}']
)
def test_what_two_readers_read_differently_is_refused(gp: httpx.Client, body: bytes) -> None:
    outcome(gp.post("/Patient", content=body), 400)


def test_an_id_of_sixty_five_characters_is_no_id(gp: httpx.Client) -> None:
    assert "64" in outcome(gp.get("/Patient/" + "a" * 65), 400)


def raw(service: Any, target: bytes, *lines: bytes, method: bytes = b"GET") -> bytes:
    """Sends a request line as it is: a client library would mend the path."""
    host = urlsplit(service.url)
    with socket.create_connection((host.hostname, host.port), timeout=10) as connection:
        token = service.token("gp").encode()
        connection.sendall(
            method + b" " + target + b" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token + b"\r\n"
            b"Connection: close\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n"
        )
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
    return answer


@pytest.mark.parametrize(
    "target", [b"/fhir/Patient/../../livez", b"/fhir/Patient/%2e%2e/x", b"/fhir/Patient/a%2Fb", b"/fhir/Patient/.."]
)
def test_dot_segments_lead_nowhere(service: Any, target: bytes) -> None:
    answer = raw(service, target)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"OperationOutcome" in answer


@pytest.mark.parametrize(
    "target",
    [b"/x/../fhir/Patient", b"/./a", b"/static/../fhir/Patient", b"/static/..%2f..%2fetc/passwd", b"/static/none.css"],
)
def test_outside_fhir_they_lead_to_the_page_that_says_so(service: Any, target: bytes) -> None:
    head, _, body = raw(service, target).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 404 ")
    assert b"content-type: text/html" in head.lower()
    assert "Rien ici" in body.decode()


@pytest.mark.parametrize(
    ("method", "status"), [(b"BREW", 501), (b"get", 501), (b"PROPFIND", 405), (b"TRACE", 405), (b"\xff", 501)]
)
def test_a_method_that_is_not_served_is_told_so(service: Any, method: bytes, status: int) -> None:
    head, _, body = raw(service, b"/fhir/Patient", method=method).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"content-type: application/fhir+json" in head.lower()
    assert json.loads(body)["issue"][0]["code"] == "not-supported"


def test_what_is_no_http_is_told_so(service: Any) -> None:
    head, _, body = raw(service, b"/fhir/ Patient").partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 400 ")
    assert json.loads(body)["resourceType"] == "OperationOutcome"


def test_one_header_twice_is_refused(service: Any) -> None:
    for line in (b"Authorization: Bearer x", b"Host: y"):
        assert raw(service, b"/fhir/Patient/1", line).startswith(b"HTTP/1.1 400 ")


def test_a_method_override_is_ignored(service: Any) -> None:
    answer = raw(service, b"/fhir/Patient/0123456789abcdef0123456789abcdef", b"X-HTTP-Method-Override: DELETE")

    assert answer.startswith(b"HTTP/1.1 404 ")


def test_a_patch_is_a_list_of_operations_or_parameters(gp: httpx.Client) -> None:
    path = "/Patient/0123456789abcdef0123456789abcdef"

    assert "JSON object" in outcome(gp.patch(path, content=b"[]"), 400)
    assert "JSON Patch" in outcome(gp.patch(path, content=b'{"resourceType":"Patient"}'), 400)


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer x.y.z", "Basic YTpi", "Bearer x"])
def test_without_a_valid_token_nothing_is_said(service: Any, authorization: str | None) -> None:
    headers = {"authorization": authorization} if authorization else {}
    response = httpx.get(f"{service.fhir}/Patient", headers=headers)

    outcome(response, 401)
    asked = response.headers["www-authenticate"]
    assert asked.startswith("Bearer")
    # RFC 6750 §3.1: an error is told to whoever has shown a token, and to nobody else.
    assert ('error="invalid_token"' in asked) == (authorization in ("Bearer x.y.z", "Bearer x"))


def test_an_unknown_search_parameter_is_named(gp: httpx.Client) -> None:
    assert "nonsense" in outcome(gp.get("/Patient?nonsense=1"), 400)


def test_every_problem_of_a_resource_is_reported(gp: httpx.Client) -> None:
    response = gp.post("/Observation", content=b'{"resourceType":"Observation","status":"nope","foo":1}')

    assert response.status_code in (400, 422)
    assert len(response.json()["issue"]) >= 3


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "SEARCH", "LOCK", "MKCOL"])
@pytest.mark.parametrize("path", ["Patient/1", "Patient", "", "metadata"])
def test_a_method_that_is_not_served_is_told_which_are(gp: httpx.Client, method: str, path: str) -> None:
    response = gp.request(method, f"/{path}", headers={"content-type": "text/xml"}, content=b"<propfind/>")

    assert method in outcome(response, 405)
    allowed = response.headers["allow"].split(", ")
    assert {"GET", "HEAD", "OPTIONS"} <= set(allowed), "OPTIONS is answered at every path"
    assert method not in allowed


def test_connect_is_not_served(service: Any) -> None:
    where = urlsplit(service.fhir)
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(
            b"CONNECT /fhir/Patient HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\nConnection: close\r\n\r\n"
            % service.token("gp").encode()
        )
        answer = b""
        while part := connection.recv(65536):
            answer += part

    assert answer.startswith(b"HTTP/1.1 405 "), answer[:300]
    assert b"\r\nallow: " in answer
    assert b"OperationOutcome" in answer


@pytest.mark.parametrize("count", ["-1", "ten", "1.5", "%C2%B2"])
def test_a_count_that_is_no_number_is_told_the_range(gp: httpx.Client, count: str) -> None:
    assert "from 0 to 1000" in outcome(gp.get(f"/Observation?_count={count}"), 400)
    assert "from 0 to 500" in outcome(gp.get(f"/Observation/1/_history?_count={count}"), 400)
    assert gp.get("/Observation?_count=99999999999").status_code == 200


@pytest.mark.parametrize("query", ["foo=1", "_summary=count", "_summary=some", "_elements=nothing", "_include=*"])
@pytest.mark.parametrize("path", ["Patient/1", "Patient/1/_history/1"])
def test_a_read_names_the_parameter_it_would_ignore(gp: httpx.Client, path: str, query: str) -> None:
    assert query.partition("=")[0] in outcome(gp.get(f"/{path}?_format=json&{query}"), 400)
    if not query.startswith(("_summary", "_elements")):
        assert gp.get(f"/{path}?{query}", headers={"prefer": "handling=lenient"}).status_code == 404
    assert gp.get(f"/{path}?_format=json&_pretty=true&_summary=false").status_code == 404
    assert gp.get(f"/{path}?_summary=true").status_code == 404
