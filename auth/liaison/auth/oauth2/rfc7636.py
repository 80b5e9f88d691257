"""PKCE: a stolen code is of no use without the verifier (RFC 7636). S256 only, and for every client.

`plain` does not exist here (SMART: it SHALL NOT be supported), and there is no default method to fall back on.
"""

import base64
import hashlib
import hmac
import re
from typing import Final

from liaison.auth.oauth2.errors import InvalidGrant, InvalidRequest

METHOD: Final = "S256"
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # §4.1


def check_challenge(challenge: str, method: str) -> None:
    """Raises InvalidRequest unless the request carries an S256 challenge (§4.3)."""
    if method != METHOD:
        raise InvalidRequest("code_challenge_method must be S256.")
    if _CHALLENGE.fullmatch(challenge) is None:
        raise InvalidRequest("code_challenge must be the base64url of a SHA-256, 43 characters.")


def challenge_of(verifier: str) -> str:
    """BASE64URL-ENCODE(SHA256(ASCII(code_verifier))), without padding (§4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()


def check_verifier(verifier: str, challenge: str) -> None:
    """Raises InvalidGrant unless the verifier is well formed and makes the challenge (§4.6)."""
    if _VERIFIER.fullmatch(verifier) is None or not hmac.compare_digest(challenge_of(verifier), challenge):
        raise InvalidGrant
