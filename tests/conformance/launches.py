"""Standalone and EHR launch: smart_standalone_launch_stu2_2, smart_ehr_launch_stu2_2."""

import secrets
from urllib.parse import parse_qs, urlsplit

from .checks import check, is_token_response
from .outside import EHR, ORIGIN, STANDALONE, Outside

ALONE = "Standalone launch"
OPENED = "EHR launch"
_AUTHORIZE = "app-launch.html#request-4"
_TOKEN = "app-launch.html#response-5"
_CORS = "app-launch.html#considerations-for-cross-origin-resource-sharing-cors-support"


@check(ALONE, "smart_app_redirect_stu2", "The person's browser comes back with a code, the state, and the issuer.",
       _AUTHORIZE)  # fmt: skip
def redirected(outside: Outside) -> None:
    returned = outside.standalone.returned
    assert returned.keys() == {"code", "state", "iss"}
    assert returned["iss"] == outside.configuration["issuer"]


@check(ALONE, "smart_code_received", "The code is one, and of use once.", "app-launch.html#response-4")
def code_once(outside: Outside) -> None:
    launched = outside.launch(outside.signed_in("gp"), "openid user/Patient.rs")
    again = outside.redeem(launched.returned["code"], launched.verifier)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


@check(ALONE, "smart_token_exchange_stu2_2", "The code becomes a token with its PKCE verifier, and with no other.",
       "app-launch.html#obtain-access-token")  # fmt: skip
def verified(outside: Outside) -> None:
    assert outside.standalone.answer.status_code == 200
    browser, verifier = outside.signed_in("gp"), secrets.token_urlsafe(48)
    asked = outside.authorization("openid user/Patient.rs", verifier)
    returned = outside.agreed(browser, browser.get(outside.configuration["authorization_endpoint"], params=asked))
    assert outside.redeem(returned["code"], secrets.token_urlsafe(48)).json()["error"] == "invalid_grant"


@check(ALONE, "smart_token_response_body_stu2_2", "The token response has what is required, and the chosen patient.",
       _TOKEN)  # fmt: skip
def body(outside: Outside) -> None:
    content = outside.standalone.content
    is_token_response(content)
    assert content["patient"] == outside.patient("bpco_04")
    assert set(content["scope"].split()) == set(STANDALONE.split())
    assert outside.read(content["access_token"], f"Patient/{content['patient']}").status_code == 200


@check(ALONE, "liaison_encounter_context", "The chosen encounter is in the token response, and is the patient's.",
       "scopes-and-launch-context.html#requesting-context-with-scopes")  # fmt: skip
def encounter(outside: Outside) -> None:
    content = outside.standalone.content
    found = outside.read(content["access_token"], f"Encounter/{content['encounter']}").json()
    assert found["subject"]["reference"].endswith(f"Patient/{content['patient']}")


@check(ALONE, "smart_token_response_headers", "The token response may not be kept.", _TOKEN)
def headers(outside: Outside) -> None:
    answer = outside.standalone.answer
    assert "no-store" in answer.headers["cache-control"]
    assert "no-cache" in answer.headers["pragma"]


@check(ALONE, "smart_cors_token_exchange", "A page of an app's origin may read the token response.", _CORS)
def cors(outside: Outside) -> None:
    assert outside.standalone.answer.headers["access-control-allow-origin"] in ("*", ORIGIN)


@check(ALONE, "liaison_authorize_post", "The authorization endpoint takes POST as well (authorize-post).", _AUTHORIZE)
def posted(outside: Outside) -> None:
    browser = outside.signed_in("gp")
    asked = outside.authorization("user/Patient.rs", "v" * 43)
    page = browser.post(outside.configuration["authorization_endpoint"], data=asked)
    assert "code" in outside.agreed(browser, page)


@check(ALONE, "liaison_aud", "A request for another FHIR server is refused.", _AUTHORIZE)
def audience(outside: Outside) -> None:
    asked = outside.authorization("user/Patient.rs", "v" * 43, aud="https://elsewhere.example/fhir")
    answer = outside.http.get(outside.configuration["authorization_endpoint"], params=asked)
    query = parse_qs(urlsplit(answer.headers["location"]).query)
    assert "error" in query
    assert query["state"] == [asked["state"]]


@check(ALONE, "liaison_redirect_uri", "Nobody is sent to an address that is not registered, character by character.",
       "https://www.rfc-editor.org/rfc/rfc9700#section-2.1")  # fmt: skip
def registered(outside: Outside) -> None:
    for uri in (f"{ORIGIN}/callback/", f"{ORIGIN}/callback?x=1", "https://evil.example/callback"):
        asked = outside.authorization("user/Patient.rs", "v" * 43, redirect_uri=uri)
        answer = outside.http.get(outside.configuration["authorization_endpoint"], params=asked)
        assert (answer.status_code, "location" in answer.headers) == (400, False), uri


@check(ALONE, "liaison_scopes_v1", "Scopes of version 1 are granted as those of version 2 (permission-v1).",
       "scopes-and-launch-context.html#scopes-for-requesting-fhir-resources")  # fmt: skip
def version_1(outside: Outside) -> None:
    content = outside.launch(outside.signed_in("gp"), "user/Observation.read user/Patient.read").content
    assert content["scope"].split() == ["user/Observation.rs", "user/Patient.rs"]


@check(ALONE, "liaison_granular_scopes", "A scope with a search parameter bounds what is read (permission-v2).",
       "scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters")  # fmt: skip
def granular(outside: Outside) -> None:
    category = "http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"
    scope = f"patient/Observation.rs?category={category}"
    content = outside.launch(outside.signed_in("gp"), scope, outside.patient("bpco_04")).content
    found = outside.read(content["access_token"], "Observation?_count=200").json()
    kinds = [
        {coding["code"] for one in entry["resource"]["category"] for coding in one["coding"]}
        for entry in found["entry"]
    ]
    assert kinds
    assert all("vital-signs" in one for one in kinds)
    assert outside.read(content["access_token"], "Condition").status_code == 403


@check(OPENED, "smart_launch_received", "The app's launch address gets the FHIR base and a handle.",
       "app-launch.html#launch-app-ehr-launch")  # fmt: skip
def received(outside: Outside) -> None:
    _, query = outside.received
    assert query["iss"] == outside.fhir
    assert query["launch"]


@check(OPENED, "smart_token_response_body_stu2_2", "The token response is about the record that was open.", _TOKEN)
def opened(outside: Outside) -> None:
    content = outside.ehr.content
    is_token_response(content)
    assert content["patient"] == outside.patient("bpco_04")
    assert content["need_patient_banner"] is True
    assert content["intent"] == "open-record"
    for one in content["fhirContext"]:
        assert outside.read(content["access_token"], one["reference"]).status_code == 200
    assert set(content["scope"].split()) == set(EHR.split())


@check(OPENED, "smart_token_response_headers", "The token response may not be kept.", _TOKEN)
def opened_headers(outside: Outside) -> None:
    assert "no-store" in outside.ehr.answer.headers["cache-control"]


@check(OPENED, "smart_cors_token_exchange", "A page of an app's origin may read the token response.", _CORS)
def opened_cors(outside: Outside) -> None:
    assert outside.ehr.answer.headers["access-control-allow-origin"] in ("*", ORIGIN)


@check(OPENED, "liaison_launch_once", "A handle is of use once.", "app-launch.html#launch-app-ehr-launch")
def once(outside: Outside) -> None:
    assert outside.ehr
    browser, query = outside.received
    asked = outside.authorization(EHR, "v" * 43, launch=query["launch"])
    answer = browser.get(outside.configuration["authorization_endpoint"], params=asked)
    assert "error=invalid_request" in answer.headers["location"]
