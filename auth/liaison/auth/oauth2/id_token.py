"""OpenID Connect's id_token (Core §2): who signed in, for the software they signed in to.

RS256, because SMART requires it of servers. Holds no name: `fhirUser` is the address of the person's resource.
"""

from typing import Any, NamedTuple

import orjson
from joserfc import jws, jwt
from joserfc.errors import JoseError

from liaison.auth.oauth2.keys import IDENTITY, SigningKeys

LIFETIME = 300
LONGEST = 4096


async def issue(
    keys: SigningKeys, *, issuer: str, subject: str, client_id: str, nonce: str, fhir_user: str, signed_in_at: int
) -> str:
    """`fhir_user` '' leaves the claim out; so does an empty nonce."""
    key = await keys.signing(IDENTITY)
    now = int(keys.seconds())
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": subject,
        "aud": client_id,
        "iat": now,
        "exp": now + LIFETIME,
        "auth_time": signed_in_at,
        **({"nonce": nonce} if nonce else {}),
        **({"fhirUser": fhir_user} if fhir_user else {}),
    }
    return jwt.encode({"alg": IDENTITY, "kid": key.kid}, claims, key, algorithms=[IDENTITY])


class Hint(NamedTuple):
    """Whom an id_token that we issued was about, and for which software."""

    subject: str
    client_id: str


async def read_hint(keys: SigningKeys, token: str, issuer: str) -> Hint | None:
    """What an `id_token_hint` says; None unless we signed it. It may have expired: software keeps it for the end of a
    session (RP-Initiated Logout 1.0 §4). It proves nothing about who brings it."""
    if len(token) > LONGEST or not token.isascii():
        return None
    try:
        signed = jws.extract_compact(token.encode())
        header = signed.headers()
        if header.get("alg") != IDENTITY or not header.keys() <= {"alg", "kid", "typ"}:
            return None
        key = await keys.verifying(str(header.get("kid")))
        if key is None or not jws.validate_compact(signed, key, algorithms=[IDENTITY]):
            return None
        claims = orjson.loads(signed.payload)
    except (JoseError, ValueError, TypeError):
        return None
    if not isinstance(claims, dict) or claims.get("iss") != issuer:
        return None
    return Hint(str(claims.get("sub", "")), str(claims.get("aud", "")))
