"""The public documents: only what works is claimed."""

from urllib.parse import urlsplit

import httpx

from liaison.services.api.access_log import AccessLog
from liaison.services.api.edge import FhirEdge
from liaison.services.api.metrics import Metrics
from liaison.services.application import Application

from .conftest import FHIR, URL, Place

ENDPOINTS = ("jwks_uri", "authorization_endpoint", "token_endpoint", "revocation_endpoint")


async def test_smart_configuration_has_what_smart_requires(place: Place) -> None:
    async with place.browser() as software:
        answer = await software.get("/.well-known/smart-configuration", headers={"accept": "text/html"})

    document = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["issuer"] == URL
    assert set(document["token_endpoint_auth_signing_alg_values_supported"]) == {"RS384", "ES384"}
    assert {"launch-standalone", "client-confidential-asymmetric", "permission-v2"} <= set(document["capabilities"])
    assert all(document[name].startswith(f"{URL}/") for name in ENDPOINTS)


async def test_urls_come_from_the_settings_and_never_from_host(place: Place) -> None:
    async with place.browser() as software:
        answer = await software.get(
            "/.well-known/smart-configuration", headers={"host": "evil.example", "x-forwarded-host": "evil.example"}
        )

    assert "evil" not in answer.text


async def test_the_other_documents_agree(place: Place) -> None:
    async with place.browser() as software:
        smart = (await software.get("/.well-known/smart-configuration")).json()
        for path in ("openid-configuration", "oauth-authorization-server"):
            other = (await software.get(f"/.well-known/{path}")).json()

            assert all(other[name] == smart[name] for name in ENDPOINTS)
            assert other["id_token_signing_alg_values_supported"] == ["RS256"]


async def test_each_endpoint_named_answers(place: Place) -> None:
    async with place.browser() as software:
        document = (await software.get("/.well-known/smart-configuration")).json()
        for name in (*ENDPOINTS, "management_endpoint"):
            path = urlsplit(document[name]).path
            answer = await (software.post if name.startswith(("token", "revocation")) else software.get)(path)
            assert answer.status_code not in (404, 405, 500), name


async def test_smarts_address_below_the_fhir_base_is_served(place: Place) -> None:
    edge = FhirEdge(urlsplit(FHIR).path, 1024, AccessLog(enabled=False), Metrics())
    whole = Application(edge, place.app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(whole), base_url=URL) as software:
        below = await software.get("/fhir/.well-known/smart-configuration")
        above = await software.get("/.well-known/smart-configuration")

    assert below.status_code == 200
    assert below.json() == above.json()


async def test_the_key_set_is_public_and_may_be_kept_for_a_while(place: Place) -> None:
    async with place.browser() as software:
        answer = await software.get("/oauth/jwks")

    assert "max-age" in answer.headers["cache-control"]
    assert all("d" not in key for key in answer.json()["keys"])
