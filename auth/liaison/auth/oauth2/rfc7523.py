"""private_key_jwt: a client proves who it is with an assertion that it signed (RFC 7523 §2.2, §3).

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html

Stricter than joserfc and Authlib, which were measured to accept an `exp` ten years ahead, a foreign audience beside
ours, `typ: at+jwt` and a foreign `jku`; each of these is refused here and has its test. Any failure is one InvalidClient.
"""

import binascii
import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, RSAKey
from joserfc.util import base64_to_int

from liaison.auth.oauth2.errors import InvalidClient
from liaison.auth.oauth2.rfc7517 import KeySets

if TYPE_CHECKING:
    from liaison.auth.oauth2.clients import Client

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS: Final = {"RS384": "RSA", "ES384": "EC"}
LIFETIME: Final = 300
SKEW: Final = 10
"""Seconds that a client's clock may differ from ours."""
LONGEST: Final = 4096
SHORTEST_RSA: Final = 2048
_HEADER: Final = {"alg", "kid", "typ", "jku", "x5t"}
"""Anything else in the header (crit, jwk, x5u, b64…) could change which key is used or what is signed: refused."""


def key_problem(key: Any) -> str:
    """Why a public key may not be registered; '' when it may."""
    if not isinstance(key, Mapping) or not isinstance(key.get("kid"), str) or not key["kid"]:
        return "Each key has a kid."
    if any("\0" in str(part) for member in key.items() for part in member):
        return "A key holds the character U+0000, which cannot be kept."
    try:
        if key.get("kty") == "RSA" and base64_to_int(key["n"]).bit_length() < SHORTEST_RSA:
            return f"The key {key['kid']} is too short: {SHORTEST_RSA} bits at least."
        _import(key)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, binascii.Error):
        return f"The key {key['kid']} is not a key of RFC 7517 for RS384 or ES384."
    return ""


def _import(key: Mapping[str, Any]) -> Key:
    if key["kty"] == "RSA":
        return _rsa(key["n"], key["e"])
    if key["kty"] == "EC" and key["crv"] == "P-384":
        return _p384(key["x"], key["y"])
    raise ValueError("not a key type of RS384 or ES384")


# Kept by their numbers: reading a key takes as long as verifying with it.
@lru_cache(maxsize=1024)
def _rsa(n: str, e: str) -> RSAKey:
    return RSAKey.import_key({"kty": "RSA", "n": n, "e": e})


@lru_cache(maxsize=1024)
def _p384(x: str, y: str) -> ECKey:
    return ECKey.import_key({"kty": "EC", "crv": "P-384", "x": x, "y": y})


def client_id_of(assertion: str) -> str:
    """Who the assertion says it is from. Proves nothing: only which registration to verify it against."""
    issuer = _read(assertion)[1].get("iss")
    if not isinstance(issuer, str):
        raise InvalidClient
    return issuer


def _read(assertion: str) -> tuple[dict[str, Any], dict[str, Any], jws.CompactSignature]:
    if len(assertion) > LONGEST or not assertion.isascii():
        raise InvalidClient
    try:
        signed = jws.extract_compact(assertion.encode())
        header = signed.headers()
        claims = orjson.loads(signed.payload)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise InvalidClient from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise InvalidClient
    return header, claims, signed


def _select(keys: Sequence[Mapping[str, Any]], kid: Any, algorithm: str) -> Key:
    """Exactly one key by `kid` and compatible type; none or several fail (SMART §5.1.3)."""
    found = [
        key
        for key in keys
        if key.get("kid") == kid
        and key.get("kty") == ALGORITHMS[algorithm]
        and key.get("alg", algorithm) == algorithm
        and key.get("use", "sig") == "sig"
    ]
    # What a vendor publishes at its own address was checked by nobody before.
    if not isinstance(kid, str) or len(found) != 1 or key_problem(found[0]):
        raise InvalidClient
    return _import(found[0])


async def verify_signature(client: "Client", assertion: str, key_sets: KeySets) -> dict[str, Any]:
    """The claims, once the header is acceptable and the signature is by the registered key. Claims are not yet checked.

    The algorithm is the client's registered one, never the header's choice.
    """
    header, claims, signed = _read(assertion)
    if client.algorithm not in ALGORITHMS or header.get("alg") != client.algorithm:
        raise InvalidClient
    # A key set of elsewhere is never followed: `jku` may only repeat what is registered.
    if header.get("typ") != "JWT" or not header.keys() <= _HEADER:
        raise InvalidClient
    if "jku" in header and not (client.jwks_uri and header["jku"] == client.jwks_uri):
        raise InvalidClient
    kid = header.get("kid")
    key = _select(await key_sets.of(client, kid), kid, client.algorithm)
    try:
        valid = jws.validate_compact(signed, key, algorithms=[client.algorithm])
    except (JoseError, ValueError, TypeError):
        raise InvalidClient from None
    if not valid:
        raise InvalidClient
    return claims


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidClient
    return float(value)


def check_claims(
    client: "Client", claims: Mapping[str, Any], token_url: str, now: float, also: Sequence[str] = ()
) -> tuple[str, float]:
    """The `jti` and the moment it may be forgotten. `aud` is exactly our token URL (or one of `also`, our other names
    at an endpoint that knows them): a list with anyone else in it would let another server replay the assertion here."""
    if claims.get("iss") != client.client_id or claims.get("sub") != client.client_id:
        raise InvalidClient
    if not any(claims.get("aud") in (name, [name]) for name in (token_url, *also)):
        raise InvalidClient
    expires, issued, starts = (_moment(claims, name) for name in ("exp", "iat", "nbf"))
    if expires is None or not now - SKEW < expires <= now + LIFETIME + SKEW:
        raise InvalidClient
    if any(moment is not None and moment > now + SKEW for moment in (issued, starts)):
        raise InvalidClient
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= 256:
        raise InvalidClient
    return jti, expires + SKEW


async def accept(
    connection: "asyncpg.Connection | asyncpg.Pool",
    client: "Client",
    assertion: str,
    token_url: str,
    key_sets: KeySets,
    now: float,
    also: Sequence[str] = (),
) -> None:
    """Raises InvalidClient unless this assertion is the client's, is for us, is fresh, and is used for the first time. `now`
    by the database's clock.

    "First" is decided by one insert under a unique key, so among racers with one `jti` exactly one passes.
    """
    claims = await verify_signature(client, assertion, key_sets)
    await _use(connection, client, *check_claims(client, claims, token_url, now, also))


async def accept_hook(
    connection: "asyncpg.Connection | asyncpg.Pool",
    client: "Client",
    token: str,
    address: str,
    key_sets: KeySets,
    now: float,
) -> None:
    """The same of a call of CDS Hooks, which has no `sub` and names the service it calls (§ Trusting CDS Clients)."""
    claims = await verify_signature(client, token, key_sets)
    await _use(connection, client, *check_claims(client, {"sub": claims.get("iss"), **claims}, address, now))


async def _use(connection: "asyncpg.Connection | asyncpg.Pool", client: "Client", jti: str, forget: float) -> None:
    """Raises InvalidClient unless it is the first time."""
    first = await connection.fetchval(
        """
        insert into assertion_seen (client, jti, expires_at) values ($1, $2, to_timestamp($3))
        on conflict do nothing returning true
        """,
        client.number,
        hashlib.sha256(jti.encode("utf-8", "surrogatepass")).digest(),
        forget,
    )
    if not first:
        raise InvalidClient
