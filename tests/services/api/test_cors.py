"""Which pages may call, and what OPTIONS says of a path. The service of these tests names https://app.example."""

import httpx
import pytest

from liaison.services.api.cors import Origins

from ..conftest import Service

APP = "https://app.example"
OTHER = "https://other.example"


def test_nobody_may_call_unless_it_is_configured() -> None:
    asked = {"origin": APP, "access-control-request-method": "PUT"}

    assert Origins().answer(asked, "Patient") == []
    assert Origins().preflight(asked, "Patient", "GET") == ()


def test_an_origin_is_compared_whole() -> None:
    origins = Origins([APP])

    for origin in ("https://app.example.evil", "https://app.example:444", "http://app.example", "null", "", "*"):
        assert origins.answer({"origin": origin}, "Patient") == [(b"vary", b"origin")], origin
        assert origins.preflight({"origin": origin}, "Patient", "GET") == (), origin


def test_no_answer_allows_credentials_or_names_every_origin_beside_a_record() -> None:
    origins = Origins([APP])

    for path in ("Patient", "Patient/1", "", "metadata", "$meta"):
        said = [*origins.answer({"origin": APP}, path), *origins.preflight({"origin": APP}, path, "GET")]
        names = {str(name) for name, _ in said}
        assert not any("credentials" in name for name in names)
        assert ((b"access-control-allow-origin", b"*") in said) is (path == "metadata")


def test_headers_of_the_clients_own_are_let_through_by_name() -> None:
    asked = {"origin": APP, "access-control-request-headers": "X-Medplum, x-a b, cookie, authorization, X-Request-ID"}

    said = dict(Origins([APP]).preflight(asked, "Patient", "GET"))

    names = said["access-control-allow-headers"].split(", ")
    assert "x-medplum" in names
    assert names.count("x-request-id") == 1
    assert not {"cookie", "x-a b", "*"} & set(names)


def preflight(
    service: Service, path: str, method: str, origin: str = APP, headers: str = "authorization"
) -> httpx.Response:
    asked = {"origin": origin, "access-control-request-method": method, "access-control-request-headers": headers}
    return httpx.options(f"{service.fhir}{path}", headers=asked)


@pytest.mark.http
@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/Patient", "GET, HEAD, POST, PUT, PATCH, DELETE"),
        ("/Patient/none", "GET, HEAD, PUT, PATCH, DELETE"),
        ("/Patient/none/_history/1", "GET, HEAD"),
        ("/Patient/_search", "POST"),
        ("/Patient/none/Observation", "GET, HEAD"),
        ("/Patient/none/$everything", "GET, HEAD, POST"),
        ("/Patient/none/$meta-add", "POST"),
        ("/Patient/$lookup", "POST"),
        ("/AuditEvent", "GET, HEAD"),
        ("/AuditEvent/none", "GET, HEAD"),
        ("/AuditEvent/_search", "POST"),
        ("/metadata", "GET, HEAD"),
        ("/", "GET, HEAD, POST"),
    ],
)
def test_options_says_what_may_be_done_at_a_path(service: Service, path: str, allowed: str) -> None:
    plain = httpx.options(f"{service.fhir}{path}")

    assert plain.status_code == 204
    assert plain.headers["allow"] == f"{allowed}, OPTIONS"
    assert "access-control-allow-methods" not in plain.headers or path == "/metadata"
    before = preflight(service, path, "GET")
    assert before.headers["access-control-allow-methods"] == allowed
    assert "access-control-allow-credentials" not in before.headers


@pytest.mark.http
@pytest.mark.parametrize(
    ("path", "status"),
    [("/Nothing", 404), ("/Patient/$nonsense", 404), ("/AuditEvent/1/_history", 404), ("/Patient/é", 400)],
)
def test_options_of_no_path_is_refused(service: Service, path: str, status: int) -> None:
    assert httpx.options(f"{service.fhir}{path}").status_code == status


@pytest.mark.http
def test_what_options_allows_is_what_is_served(service: Service) -> None:
    """Each method at each shape of path: refused with 405 when Allow does not name it, and only then."""
    paths = [
        "/Patient",
        "/Patient/none",
        "/Patient/none/_history",
        "/Patient/none/$everything",
        "/Patient/none/$meta-add",
    ]
    with service.client("gp") as client:
        for path in [*paths, "/metadata", "/AuditEvent", "/_search", "/_history", "/Patient/$summary"]:
            allowed = httpx.options(f"{service.fhir}{path}").headers["allow"].split(", ")
            for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
                answer = client.request(method, path, content=b"{}" if method in ("POST", "PUT", "PATCH") else None)
                assert (answer.status_code == 405) is (method not in allowed), (method, path, answer.status_code)
                if answer.status_code == 405:
                    assert set(answer.headers["allow"].split(", ")) == set(allowed), (method, path)


@pytest.mark.http
def test_a_page_of_a_named_origin_may_call_and_another_may_not(service: Service) -> None:
    with service.client("gp") as client:
        mine = client.get("/Patient", headers={"origin": APP})
        refused = client.get("/Patient/none", headers={"origin": APP})
        theirs = client.get("/Patient", headers={"origin": OTHER})
    before, never = preflight(service, "/Patient/none", "PATCH"), preflight(service, "/Patient/none", "PATCH", OTHER)
    anonymous = httpx.get(f"{service.fhir}/Patient", headers={"origin": APP})

    for answer in (mine, refused, anonymous, before):
        assert answer.headers["access-control-allow-origin"] == APP
        assert "origin" in answer.headers["vary"]
    exposed = set(mine.headers["access-control-expose-headers"].split(", "))
    assert {"etag", "location", "content-location", "last-modified", "preference-applied"} <= exposed
    for answer in (theirs, never):
        assert "access-control-allow-origin" not in answer.headers
    assert "PATCH" in before.headers["access-control-allow-methods"]
    taken = before.headers["access-control-allow-headers"].split(", ")
    assert {"authorization", "content-type", "if-match", "if-none-match", "if-none-exist", "dpop", "prefer"} <= set(
        taken
    )


@pytest.mark.http
def test_whoever_looks_for_the_service_may_read_what_it_is(service: Service) -> None:
    answer = httpx.get(f"{service.fhir}/metadata", headers={"origin": OTHER})

    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json()["rest"][0]["security"]["cors"] is True
