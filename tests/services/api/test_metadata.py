"""`GET [base]/metadata` over HTTP: open to all, the same for all, and cheap to ask again."""

import httpx
import pytest

from ..conftest import Service

pytestmark = pytest.mark.http


def test_it_is_the_same_with_and_without_a_caller(service: Service) -> None:
    anyone = httpx.get(f"{service.fhir}/metadata")
    wrong = httpx.get(f"{service.fhir}/metadata", headers={"authorization": "Bearer nonsense"})

    assert anyone.status_code == 200
    assert anyone.content == wrong.content == httpx.get(f"{service.fhir}/metadata/").content
    for who in ("gp", "admin"):
        with service.client(who) as client:
            assert client.get("/metadata").content == anyone.content


def test_it_may_be_kept_and_is_asked_about_by_its_tag(service: Service) -> None:
    first = httpx.get(f"{service.fhir}/metadata")
    assert first.headers["cache-control"] == "no-cache"

    again = httpx.get(f"{service.fhir}/metadata", headers={"if-none-match": first.headers["etag"]})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])


def test_it_says_who_speaks_and_where_to_sign_in(service: Service) -> None:
    statement = httpx.get(f"{service.fhir}/metadata").json()
    smart = httpx.get(f"{service.fhir}/.well-known/smart-configuration").json()

    assert statement["fhirVersion"] == "4.0.1"
    assert statement["software"]["version"]
    assert statement["implementation"]["url"] == service.settings.fhir_base
    [rest] = statement["rest"]
    extensions = rest["security"]["extension"]
    [addresses] = [one["extension"] for one in extensions if one["url"].endswith("/oauth-uris")]
    assert {one["url"]: one["valueUri"] for one in addresses} == {
        "token": smart["token_endpoint"],
        "authorize": smart["authorization_endpoint"],
        "introspect": smart["introspection_endpoint"],
        "revoke": smart["revocation_endpoint"],
        "manage": smart["management_endpoint"],
    }
    capabilities = [one["valueCode"] for one in extensions if one["url"].endswith("/capabilities")]
    assert capabilities == smart["capabilities"]
    assert rest["security"]["service"][0]["coding"][0]["code"] == "SMART-on-FHIR"
    assert "without modifiers" in rest["security"]["description"]


def test_another_mode_is_refused_without_a_caller(service: Service) -> None:
    refused = httpx.get(f"{service.fhir}/metadata?mode=terminology")

    assert refused.status_code == 400
    assert "mode" in refused.json()["issue"][0]["diagnostics"]
