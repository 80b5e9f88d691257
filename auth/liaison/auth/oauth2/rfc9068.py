"""Access tokens as JWTs (RFC 9068): at most five minutes, ES256, `typ: at+jwt` required both ways.

A token carries the number of a session (`sid`) and the standard claims; no scope, no role, no patient. What the session
may do is read from the database, so nothing can be widened by a token and nothing outlives a revocation.
"""

import secrets
from typing import Any, Final, NamedTuple

import orjson
from joserfc import jws, jwt
from joserfc.errors import JoseError

from liaison.auth.oauth2 import confirmation
from liaison.auth.oauth2.confirmation import UNBOUND, Confirmation
from liaison.auth.oauth2.keys import ACCESS, SigningKeys
from liaison.fhir.errors import Unauthorized

LIFETIME: Final = 300
TYPE: Final = "at+jwt"
LONGEST: Final = 2048


class Verified(NamedTuple):
    """What a token says, once its signature and standard claims hold."""

    session: int
    client_id: str
    expires_at: float
    confirmation: Confirmation


async def issue(
    keys: SigningKeys,
    *,
    issuer: str,
    audience: str,
    subject: str,
    client_id: str,
    session: int,
    seconds: int = LIFETIME,
    bound_to: Confirmation = UNBOUND,
) -> str:
    """A signed token for a session that exists (§2.2). Never longer than LIFETIME."""
    key = await keys.signing(ACCESS)
    now = int(keys.seconds())
    claims = {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "client_id": client_id,
        "iat": now,
        "exp": now + min(seconds, LIFETIME),
        "jti": secrets.token_urlsafe(12),
        "sid": str(session),
        **bound_to.claim(),
    }
    return jwt.encode({"alg": ACCESS, "typ": TYPE, "kid": key.kid}, claims, key, algorithms=[ACCESS])


async def verify(keys: SigningKeys, token: str, *, issuer: str, audience: str) -> Verified:
    """Raises Unauthorized, with one text, unless the token is ours, of this type, for this audience and not expired
    (§4). Whether its session still stands is not looked at here."""
    if len(token) > LONGEST or not token.isascii():
        raise refused()
    try:
        signed = jws.extract_compact(token.encode())
        header: dict[str, Any] = signed.headers()
        if header.get("typ") != TYPE or header.get("alg") != ACCESS or header.keys() != {"typ", "alg", "kid"}:
            raise refused()
        key = await keys.verifying(str(header["kid"]))
        if key is None or not jws.validate_compact(signed, key, algorithms=[ACCESS]):
            raise refused()
        claims = orjson.loads(signed.payload)
        session, expires, starts = int(claims["sid"]), float(claims["exp"]), float(claims["iat"])
        bound_to = confirmation.read(claims)
    except (JoseError, ValueError, TypeError, KeyError):
        raise refused() from None
    now = keys.seconds()
    if claims.get("iss") != issuer or claims.get("aud") != audience or not starts - 10 <= now < expires:
        raise refused()
    return Verified(session, str(claims.get("client_id", "")), expires, bound_to)


def refused() -> Unauthorized:
    """One text for every reason."""
    return Unauthorized("The access token is missing, expired or not valid here.")
