"""OpenID Connect: smart_openid_connect_stu2_2."""

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet

from .checks import check
from .outside import APP, ORIGIN, REDIRECT, Outside

GROUP = "OpenID Connect"
_SCOPES = "scopes-and-launch-context.html#scopes-for-requesting-identity-data"
_CORE = "https://openid.net/specs/openid-connect-core-1_0.html#IDToken"


def _part(outside: Outside, place: int) -> dict[str, Any]:
    text = outside.standalone.content["id_token"].split(".")[place]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


def _configuration(outside: Outside) -> dict[str, Any]:
    issuer = _part(outside, 1)["iss"]
    answer = outside.http.get(f"{issuer}/.well-known/openid-configuration")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def _claims(outside: Outside) -> dict[str, Any]:
    keys = KeySet.import_key_set(outside.http.get(_configuration(outside)["jwks_uri"]).json())
    return jwt.decode(outside.standalone.content["id_token"], keys, algorithms=["RS256"]).claims


@check(GROUP, "smart_openid_decode_id_token", "The id_token is a JWT.", _SCOPES)
def decoded(outside: Outside) -> None:
    assert _part(outside, 0) and _part(outside, 1)


@check(GROUP, "smart_openid_retrieve_configuration", "Its issuer serves an OpenID configuration.", _SCOPES)
def configured(outside: Outside) -> None:
    assert _configuration(outside)["issuer"] == outside.configuration["issuer"]


@check(GROUP, "smart_openid_required_configuration_fields", "That has what OpenID Connect requires; RS256 is in.",
       "https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata")  # fmt: skip
def required(outside: Outside) -> None:
    found = _configuration(outside)
    for name in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported",
                 "subject_types_supported", "userinfo_endpoint", "end_session_endpoint"):  # fmt: skip
        assert found.get(name), name
    assert "RS256" in found["id_token_signing_alg_values_supported"]


@check(GROUP, "smart_openid_retrieve_jwks", "The keys are served, each public.", _SCOPES)
def keys(outside: Outside) -> None:
    found = outside.http.get(_configuration(outside)["jwks_uri"]).json()["keys"]
    assert found
    assert not any("d" in key for key in found)


@check(GROUP, "smart_openid_token_header", "The header names RS256 and one of those keys.", _SCOPES)
def header(outside: Outside) -> None:
    found = outside.http.get(_configuration(outside)["jwks_uri"]).json()["keys"]
    assert _part(outside, 0)["alg"] == "RS256"
    assert [key["kty"] for key in found if key["kid"] == _part(outside, 0)["kid"]] == ["RSA"]


@check(GROUP, "smart_openid_token_payload", "The claims are there, for this app, and the signature holds.", _CORE)
def payload(outside: Outside) -> None:
    claims = _claims(outside)
    assert {"iss", "sub", "aud", "exp", "iat"} <= claims.keys()
    assert (claims["iss"], claims["aud"]) == (outside.configuration["issuer"], APP)
    assert 0 < len(claims["sub"]) < 256
    assert claims["exp"] > claims["iat"]


@check(
    GROUP, "smart_openid_fhir_user_claim", "fhirUser is a person of the FHIR server, whom the token may read.", _SCOPES
)
def fhir_user(outside: Outside) -> None:
    address = _claims(outside)["fhirUser"]
    assert address.startswith(f"{outside.fhir}/Practitioner/")
    assert outside.read(outside.ehr.content["access_token"], address).json()["resourceType"] == "Practitioner"


@check(GROUP, "smart_cors_openid_fhir_user_claim", "A page of an app's origin may read it.",
       "app-launch.html#considerations-for-cross-origin-resource-sharing-cors-support")  # fmt: skip
def fhir_user_cors(outside: Outside) -> None:
    answer = outside.read(outside.ehr.content["access_token"], _claims(outside)["fhirUser"])
    assert answer.headers["access-control-allow-origin"] in ("*", ORIGIN)


@check(GROUP, "liaison_prompt_none", "With prompt=none nobody is asked: the app hears what would be.",
       "https://openid.net/specs/openid-connect-core-1_0.html#AuthError")  # fmt: skip
def prompt_none(outside: Outside) -> None:
    for browser, error in ((outside.http, "login_required"), (outside.signed_in("gp"), "consent_required")):
        asked = outside.authorization("openid user/Patient.rs", "v" * 43, prompt="none")
        answer = browser.get(outside.configuration["authorization_endpoint"], params=asked)
        assert parse_qs(urlsplit(answer.headers["location"]).query)["error"] == [error]


@check(GROUP, "liaison_max_age", "A proof that is too old is asked for again, and the id_token says when it was given.",
       "https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest")  # fmt: skip
def max_age(outside: Outside) -> None:
    assert _claims(outside)["auth_time"] <= _claims(outside)["iat"]
    asked = outside.authorization("openid user/Patient.rs", "v" * 43, max_age="0")
    answer = outside.signed_in("gp").get(outside.configuration["authorization_endpoint"], params=asked)
    assert answer.status_code == 303
    assert not answer.headers["location"].startswith(REDIRECT)


@check(GROUP, "liaison_userinfo", "userinfo says the same of the person.",
       "https://openid.net/specs/openid-connect-core-1_0.html#UserInfo")  # fmt: skip
def userinfo(outside: Outside) -> None:
    address = _configuration(outside)["userinfo_endpoint"]
    told = outside.read(outside.standalone.content["access_token"], address).json()
    claims = _claims(outside)
    assert told == {"sub": claims["sub"], "fhirUser": claims["fhirUser"]}
