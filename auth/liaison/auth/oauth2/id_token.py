"""OpenID Connect's id_token (Core §2): who signed in, for the software they signed in to.

RS256, because SMART requires it of servers. Holds no name: `fhirUser` is the address of the person's resource.
"""

import time
from typing import Any

from joserfc import jwt

from liaison.auth.oauth2.keys import IDENTITY, SigningKeys

LIFETIME = 300


async def issue(
    keys: SigningKeys, *, issuer: str, subject: str, client_id: str, nonce: str, fhir_user: str, signed_in_at: int
) -> str:
    """`fhir_user` '' leaves the claim out; so does an empty nonce."""
    key = await keys.signing(IDENTITY)
    now = int(time.time())
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
