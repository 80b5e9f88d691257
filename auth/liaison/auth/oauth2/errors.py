"""The closed list of OAuth errors. Each becomes an HTTP answer or a redirect in liaison.services.oauth, once.

* OAuthError
  - InvalidRequest           400   a parameter is missing, repeated or malformed
  - InvalidClient            401   who the client is could not be proven; one text, whatever the reason
  - InvalidGrant             400   a code or refresh token that is unknown, used, expired, or not this client's
  - InvalidScope             400   malformed, or nothing of it is within what is registered
  - InvalidTarget            400   `aud` is not our FHIR base
  - UnauthorizedClient       400   this client may not use this grant
  - UnsupportedGrantType     400
  - UnsupportedResponseType  400
  - RequestNotSupported      400   a request object (`request`)
  - RequestUriNotSupported   400   a request object elsewhere: a `request_uri` that was not pushed here
  - AccessDenied             400   the person, or the absence of any right, said no
  - InvalidDpopProof         400   RFC 9449 §5: the proof is missing, malformed or used
  - UseDpopNonce             400   RFC 9449 §8: the proof must hold the nonce that the answer gives
  - LoginRequired            400   prompt=none and nobody is signed in
  - ConsentRequired          400   prompt=none, and the person has to agree
  - InteractionRequired      400   prompt=none, and the person has to choose a role, a patient or an encounter
  - TemporarilyUnavailable   503   prompt=none, and the database does not answer

RFC 6749 §4.1.2.1 and §5.2, RFC 8707 §2, OpenID Connect Core §3.1.2.6.
"""

from typing import ClassVar


class OAuthError(Exception):
    """`description` is English ASCII for developers; it never tells whether a client or a person exists."""

    error: ClassVar[str] = "server_error"
    status: ClassVar[int] = 400

    def __init__(self, description: str) -> None:
        self.description = description
        super().__init__(description)


class InvalidRequest(OAuthError):
    error = "invalid_request"


class InvalidClient(OAuthError):
    """One text for an unknown client, a wrong key, a replayed or expired assertion: none can be told from another.

    `challenge`: to the scheme of the header Authorization that was tried in vain; the answer has to name it (RFC 6749 §5.2).
    `nonce`: what a DPoP proof has to hold."""

    error = "invalid_client"
    status = 401

    def __init__(self, challenge: str = "", nonce: str = "") -> None:
        self.challenge, self.nonce = challenge, nonce
        super().__init__("The client could not be authenticated.")


class InvalidGrant(OAuthError):
    """One text for a code or token that is unknown, expired, used, revoked or of another client."""

    error = "invalid_grant"

    def __init__(self) -> None:
        super().__init__("The code or token is not valid for this client.")


class InvalidScope(OAuthError):
    error = "invalid_scope"


class InvalidTarget(OAuthError):
    error = "invalid_target"


class UnauthorizedClient(OAuthError):
    error = "unauthorized_client"


class UnsupportedGrantType(OAuthError):
    error = "unsupported_grant_type"


class UnsupportedResponseType(OAuthError):
    error = "unsupported_response_type"


class RequestNotSupported(OAuthError):
    error = "request_not_supported"

    def __init__(self) -> None:
        super().__init__("Request objects are not supported.")


class RequestUriNotSupported(OAuthError):
    error = "request_uri_not_supported"

    def __init__(self) -> None:
        super().__init__("A request_uri is supported only where the request was pushed here.")


class AccessDenied(OAuthError):
    error = "access_denied"


class InvalidDpopProof(OAuthError):
    error = "invalid_dpop_proof"


class UseDpopNonce(OAuthError):
    """`nonce` goes into the header DPoP-Nonce."""

    error = "use_dpop_nonce"

    def __init__(self, nonce: str) -> None:
        self.nonce = nonce
        super().__init__("The proof must hold the nonce of the header DPoP-Nonce.")


class LoginRequired(OAuthError):
    error = "login_required"


class ConsentRequired(OAuthError):
    error = "consent_required"


class InteractionRequired(OAuthError):
    error = "interaction_required"


class TemporarilyUnavailable(OAuthError):
    error = "temporarily_unavailable"
    status = 503
