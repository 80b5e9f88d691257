"""What happens to a token later: smart_token_refresh_stu2, smart_token_introspection_stu2_2, revocation."""

from typing import Any

from .checks import check, is_token_response
from .outside import APP, STANDALONE, Outside

REFRESH = "Token refresh"
INTROSPECTION = "Token introspection"
_REFRESH = "app-launch.html#refresh-access-token"
_INTROSPECTION = "token-introspection.html"


def _fresh(outside: Outside) -> dict[str, Any]:
    """A launch of its own, since its tokens are used up."""
    return outside.launch(outside.signed_in("gp"), STANDALONE, outside.patient("bpco_04")).content


def _refreshed(outside: Outside, token: str, **more: str) -> Any:
    return outside.exchange(grant_type="refresh_token", client_id=APP, refresh_token=token, **more)


@check(REFRESH, "smart_token_refresh_stu2 (without scopes)", "A refresh token becomes a new token, with the same scopes.",
       _REFRESH)  # fmt: skip
def without(outside: Outside) -> None:
    first = _fresh(outside)
    answer = _refreshed(outside, first["refresh_token"])
    is_token_response(answer.json())
    assert set(answer.json()["scope"].split()) == set(first["scope"].split())
    assert answer.json()["patient"] == first["patient"]
    assert "no-store" in answer.headers["cache-control"]


@check(REFRESH, "smart_token_refresh_stu2 (with scopes)", "Asked for less, it gives less, and never more.", _REFRESH)
def narrower(outside: Outside) -> None:
    first = _fresh(outside)
    answer = _refreshed(outside, first["refresh_token"], scope="patient/Patient.rs patient/Patient.cud")
    assert answer.json()["scope"] == "patient/Patient.rs"


@check(REFRESH, "smart_token_refresh_body", "The response has what is required; the refresh token is another one.",
       _REFRESH)  # fmt: skip
def rotated(outside: Outside) -> None:
    first = _fresh(outside)
    content = _refreshed(outside, first["refresh_token"]).json()
    assert content["refresh_token"] != first["refresh_token"]
    assert 0 < content["expires_in"] <= 300


@check(REFRESH, "liaison_reuse", "A refresh token that comes twice ends all that its consent gave.",
       "https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2")  # fmt: skip
def reused(outside: Outside) -> None:
    first = _fresh(outside)
    second = _refreshed(outside, first["refresh_token"]).json()
    assert _refreshed(outside, first["refresh_token"]).json()["error"] == "invalid_grant"
    assert _refreshed(outside, second["refresh_token"]).json()["error"] == "invalid_grant"
    assert outside.read(second["access_token"], f"Patient/{first['patient']}").status_code == 401


@check(INTROSPECTION, "token_introspection_response (active)", "It says what the token response said.", _INTROSPECTION)
def active(outside: Outside) -> None:
    launched = outside.ehr.content
    told = outside.introspected(launched["access_token"])
    assert (told["active"], told["client_id"]) == (True, APP)
    assert set(told["scope"].split()) == set(launched["scope"].split())
    assert told["exp"]
    assert (told["iss"], bool(told["sub"])) == (outside.configuration["issuer"], True)
    for name in ("patient", "intent", "fhirContext", "need_patient_banner"):
        assert told[name] == launched[name], name
    assert told["fhirUser"]


@check(INTROSPECTION, "token_introspection_response (invalid)", "Of any other token it says that it is not active, no more.",
       "https://www.rfc-editor.org/rfc/rfc7662#section-2.2")  # fmt: skip
def inactive(outside: Outside) -> None:
    assert outside.introspected("not a token") == {"active": False}


@check(INTROSPECTION, "liaison_revocation", "A token that was revoked works nowhere at the next request.",
       "https://www.rfc-editor.org/rfc/rfc7009#section-2")  # fmt: skip
def revoked(outside: Outside) -> None:
    given = _fresh(outside)
    form = {"token": given["refresh_token"], "client_id": APP}
    assert outside.http.post(outside.configuration["revocation_endpoint"], data=form).status_code == 200
    assert outside.introspected(given["access_token"]) == {"active": False}
    assert outside.read(given["access_token"], f"Patient/{given['patient']}").status_code == 401
