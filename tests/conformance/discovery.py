"""SMART on FHIR discovery: smart_discovery_stu2_2."""

from .checks import NotRun, check
from .outside import ORIGIN, Outside

GROUP = "Discovery"


@check(GROUP, "well_known_endpoint", "The configuration is served below the FHIR base, as JSON whatever is accepted.",
       "conformance.html#using-well-known")  # fmt: skip
def served(outside: Outside) -> None:
    answer = outside.http.get(f"{outside.fhir}/.well-known/smart-configuration", headers={"accept": "text/html"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")


@check(GROUP, "well_known_capabilities_stu2", "It holds the required fields; S256 is in, plain is not.",
       "conformance.html#metadata")  # fmt: skip
def fields(outside: Outside) -> None:
    found = outside.configuration
    for name in ("authorization_endpoint", "token_endpoint", "issuer", "jwks_uri"):
        assert found[name].startswith(("https://", "http://127.0.0.1", "http://localhost")), name
    assert {"authorization_code", "client_credentials"} <= set(found["grant_types_supported"])
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert all(isinstance(one, str) for one in found["capabilities"])
    assert {"launch-ehr", "launch-standalone", "permission-v1", "permission-v2"} <= set(found["capabilities"])


@check(GROUP, "smart_cors_well_known_endpoint", "A page of an app's origin may read the configuration.",
       "app-launch.html#considerations-for-cross-origin-resource-sharing-cors-support")  # fmt: skip
def cors(outside: Outside) -> None:
    answer = outside.http.get(f"{outside.fhir}/.well-known/smart-configuration", headers={"origin": ORIGIN})
    assert answer.headers.get("access-control-allow-origin") in ("*", ORIGIN)


@check(GROUP, "smart_cors_metadata_request", "A page of an app's origin may read the CapabilityStatement.",
       "app-launch.html#considerations-for-cross-origin-resource-sharing-cors-support")  # fmt: skip
def cors_metadata(outside: Outside) -> None:
    answer = outside.http.get(f"{outside.fhir}/metadata", headers={"origin": ORIGIN})
    assert answer.status_code == 200
    assert answer.headers.get("access-control-allow-origin") in ("*", ORIGIN)


@check(GROUP, "tls_version_test", "Endpoints are served by TLS 1.2 or later.", "app-launch.html")
def tls(outside: Outside) -> None:
    if outside.fhir.startswith("http://"):
        raise NotRun("a sandbox on this machine speaks plain HTTP; the proxy's TLS is looked at by tests/deploy")
    assert outside.http.get(f"{outside.fhir}/metadata").status_code == 200
