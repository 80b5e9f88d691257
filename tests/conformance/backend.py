"""SMART Backend Services: backend_services_authorization."""

import time

from .checks import check, is_token_response
from .outside import Outside

GROUP = "Backend services"
_REQUEST = "backend-services.html#request-1"
_PROOF = "client-confidential-asymmetric.html#authenticating-to-the-token-endpoint"


@check(GROUP, "smart_backend_services_invalid_grant_type", "Another grant type is refused.", _REQUEST)
def grant_type(outside: Outside) -> None:
    assert outside.backend(grant_type="not_a_grant_type").status_code == 400


@check(GROUP, "smart_backend_services_invalid_client_assertion", "Another kind of assertion is refused.", _PROOF)
def kind(outside: Outside) -> None:
    assert outside.backend(client_assertion_type="not_an_assertion_type").status_code == 400


@check(GROUP, "smart_backend_services_invalid_jwt", "An assertion with a wrong claim is refused, always with one text.",
       _PROOF)  # fmt: skip
def claims(outside: Outside) -> None:
    wrong = [
        outside.assertion(iss="nobody"),
        outside.assertion(sub="nobody"),
        outside.assertion(aud=outside.fhir),
        outside.assertion(exp=int(time.time()) - 60),
        outside.assertion(exp=int(time.time()) + 3600),
        outside.assertion(jti=""),
        outside.assertion()[:-8] + "AAAAAAAA",
    ]
    answers = [outside.backend(client_assertion=one) for one in wrong]
    assert {answer.json()["error"] for answer in answers} == {"invalid_client"}
    assert len({answer.text for answer in answers}) == 1


@check(GROUP, "liaison_jti", "An assertion is of use once.", _PROOF)
def once(outside: Outside) -> None:
    assertion = outside.assertion()
    assert outside.backend(client_assertion=assertion).status_code == 200
    assert outside.backend(client_assertion=assertion).json()["error"] == "invalid_client"


@check(GROUP, "smart_backend_services_auth_request_success", "A good request gets a token that reads.", _REQUEST)
def success(outside: Outside) -> None:
    answer = outside.backend()
    assert answer.status_code == 200
    assert outside.read(answer.json()["access_token"], "Patient?_count=1").status_code == 200


@check(GROUP, "smart_backend_services_auth_response_body", "At most five minutes, the scopes, and no refresh token.",
       "backend-services.html#response-1")  # fmt: skip
def body(outside: Outside) -> None:
    content = outside.backend().json()
    is_token_response(content)
    assert content["expires_in"] <= 300
    assert content["scope"] == "system/*.rs"
    assert "refresh_token" not in content


@check(GROUP, "liaison_algorithms", "RS384 and ES384 are both taken, and announced.", _PROOF)
def algorithms(outside: Outside) -> None:
    announced = outside.configuration["token_endpoint_auth_signing_alg_values_supported"]
    assert {"RS384", "ES384"} <= set(announced)
    for client_id, scope in (("export_backend", "system/*.rs"), ("sync_backend", "system/Patient.rs")):
        answer = outside.backend(client_assertion=outside.assertion(client_id), scope=scope)
        assert answer.status_code == 200, client_id
