"""Where software learns what this server can do.

https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html (SMART), RFC 8414, OpenID Connect Discovery 1.0 §3.
Only what works is claimed; a test tries each endpoint and capability named here.
"""

from typing import Any, Final

from liaison.auth.oauth2 import prompts, rfc7636, rfc8693, rfc9449
from liaison.auth.oauth2.keys import IDENTITY
from liaison.auth.oauth2.rfc7523 import ALGORITHMS

CAPABILITIES: Final = (
    "launch-ehr",
    "launch-standalone",
    "authorize-post",
    "client-public",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-banner",
    "context-ehr-patient",
    "context-ehr-encounter",
    "context-standalone-patient",
    "context-standalone-encounter",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
)
_EXTENSION: Final = "http://fhir-registry.smarthealthit.org/StructureDefinition"
_SCOPES: Final = (
    "openid",
    "fhirUser",
    "launch",
    "launch/patient",
    "launch/encounter",
    "offline_access",
    "online_access",
    "patient/*.cruds",
    "user/*.cruds",
    "system/*.cruds",
)


def _common(issuer: str, *, mtls: bool = False) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/oauth/jwks",
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "token_endpoint_auth_methods_supported": ["private_key_jwt", *(["tls_client_auth"] if mtls else []), "none"],
        "tls_client_certificate_bound_access_tokens": mtls,
        "dpop_signing_alg_values_supported": list(rfc9449.ALGORITHMS),
        "token_endpoint_auth_signing_alg_values_supported": sorted(ALGORITHMS),
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "pushed_authorization_request_endpoint": f"{issuer}/oauth/par",
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token", rfc8693.GRANT_TYPE],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "scopes_supported": list(_SCOPES),
        "code_challenge_methods_supported": [rfc7636.METHOD],
        "authorization_response_iss_parameter_supported": True,
    }


def smart_configuration(issuer: str, *, mtls: bool = False) -> dict[str, Any]:
    """The document at /.well-known/smart-configuration: JSON, absolute URLs, whatever `Accept` says. `mtls`: a proxy tells us
    which certificate a caller has shown (RFC 8705)."""
    return {
        **_common(issuer, mtls=mtls),
        "management_endpoint": f"{issuer}/mes-applications",
        "capabilities": list(CAPABILITIES),
    }


def openid_configuration(issuer: str, *, mtls: bool = False) -> dict[str, Any]:
    """The document at /.well-known/openid-configuration, and RFC 8414's, which it contains."""
    return {
        **_common(issuer, mtls=mtls),
        "userinfo_endpoint": f"{issuer}/oauth/userinfo",
        "end_session_endpoint": f"{issuer}/oauth/logout",
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [IDENTITY],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "fhirUser"],
        "prompt_values_supported": list(prompts.VALUES),
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_pushed_authorization_requests": False,
    }


def capability_security(issuer: str, *, cors: bool) -> dict[str, Any]:
    """CapabilityStatement.rest.security as SMART 1.0 and 2.0 write it: software that does not read .well-known looks
    there (https://hl7.org/fhir/smart-app-launch/STU2/conformance.html#declaring-support-for-oauth2-endpoints). `cors`:
    whether pages of some other origin may call."""
    common = _common(issuer)
    addresses = {
        "token": common["token_endpoint"],
        "authorize": common["authorization_endpoint"],
        "introspect": common["introspection_endpoint"],
        "revoke": common["revocation_endpoint"],
        "manage": f"{issuer}/mes-applications",
    }
    service = {"system": "http://terminology.hl7.org/CodeSystem/restful-security-service", "code": "SMART-on-FHIR"}
    return {
        "extension": [
            {
                "url": f"{_EXTENSION}/oauth-uris",
                "extension": [{"url": name, "valueUri": address} for name, address in addresses.items()],
            },
            *({"url": f"{_EXTENSION}/capabilities", "valueCode": one} for one in CAPABILITIES),
        ],
        "cors": cors,
        "service": [
            {"coding": [service], "text": "OAuth2 using SMART-on-FHIR profile (see http://docs.smarthealthit.org)"}
        ],
        "description": "Endpoints and capabilities are also at .well-known/smart-configuration below this base. The query"
        " of a granular scope takes R4's search parameters by value, without modifiers (:in, :below...) or chains.",
    }
