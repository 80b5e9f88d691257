"""DPoP: who uses a token proves, at each call, that it holds the key the token is bound to.

https://www.rfc-editor.org/rfc/rfc9449. A proof is a JWT that the caller signs for one method and one address, once:
`read_proof` checks everything that the proof itself can say (§4.3), `use` that it comes for the first time, on whatever
worker, and `Nonces` gives and knows the nonces that bind proofs to our clock (§8, §9).
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

import asyncpg
import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, RSAKey
from joserfc.util import base64_to_int

from liaison.auth.oauth2.errors import InvalidDpopProof, UseDpopNonce
from liaison.auth.oauth2.keys import Sealer
from liaison.fhir.vault import NotAuthentic, context

ALGORITHMS: Final = {"ES256": "P-256", "ES384": "P-384", "PS256": "RSA", "RS384": "RSA"}
TYPE: Final = "dpop+jwt"
WINDOW: Final = 60
"""Seconds for which a proof may be used after it was made."""
SKEW: Final = 10
LONGEST: Final = 4096
NONCE_SECONDS: Final = 300
_HEADER: Final = {"typ", "alg", "jwk", "kid"}
_PRIVATE: Final = {"d", "p", "q", "dp", "dq", "qi", "oth", "r", "t", "k"}
_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_PORTS: Final = {"https": 443, "http": 80}


class _Registry(jws.JWSRegistry):
    max_header_length = 2048  # an RSA key is in it: the library's 512 bytes are for headers without


_REGISTRY: Final = _Registry()


class Proof(NamedTuple):
    """A proof that holds in itself. It is worth nothing until `use` has seen it for the first time."""

    thumbprint: str
    jti: str
    nonce: str
    forget: float


def check_thumbprint(text: str) -> str:
    """`dpop_jkt` of an authorization request (§10), '' for none. Raises InvalidDpopProof for what is no thumbprint."""
    if text and not _THUMBPRINT.fullmatch(text):
        raise InvalidDpopProof("dpop_jkt is not the SHA-256 thumbprint of a key.")
    return text


def read_proof(text: str, *, method: str, url: str, now: float, token: str = "") -> Proof:  # '' is no token
    """§4.3, all but "used once". `token` is the access token that the proof comes with, at a protected resource; `now`
    is by the database's clock.

    Raises InvalidDpopProof, which names the part that is wrong: the caller made the proof, so that tells it nothing.
    """
    header, claims, signed = _read(text)
    key, algorithm = _key(header)
    try:
        valid = jws.validate_compact(signed, key, algorithms=[algorithm])
    except (JoseError, ValueError, TypeError):
        valid = False
    if not valid:
        raise InvalidDpopProof("The signature is not by the key in the proof.")
    if claims.get("htm") != method:
        raise InvalidDpopProof("htm is not the method of this call.")
    if not _same_address(claims.get("htu"), url):
        raise InvalidDpopProof("htu is not the address of this call.")
    forget = _moment(claims, now)
    jti, nonce = claims.get("jti"), claims.get("nonce", "")
    if not isinstance(jti, str) or not 0 < len(jti) <= 256:
        raise InvalidDpopProof("jti is missing.")
    if not isinstance(nonce, str):
        raise InvalidDpopProof("nonce is malformed.")
    if token and not _is_hash_of(claims.get("ath"), token):
        raise InvalidDpopProof("ath is not the hash of the access token.")
    return Proof(key.thumbprint(), jti, nonce, forget)


def _read(text: str) -> tuple[Mapping[str, Any], Mapping[str, Any], jws.CompactSignature]:
    if not 0 < len(text) <= LONGEST or not text.isascii():
        raise InvalidDpopProof("The proof is not one JWT.")
    try:
        signed = jws.extract_compact(text.encode(), registry=_REGISTRY)
        header, claims = signed.headers(), orjson.loads(signed.payload)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise InvalidDpopProof("The proof is not one JWT.") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise InvalidDpopProof("The proof is not one JWT.")
    return header, claims, signed


def _key(header: Mapping[str, Any]) -> tuple[Key, str]:
    algorithm, jwk = header.get("alg"), header.get("jwk")
    if header.get("typ") != TYPE or not header.keys() <= _HEADER:
        raise InvalidDpopProof(f"The header of a proof has typ {TYPE}, alg and jwk.")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise InvalidDpopProof(f"alg is one of: {', '.join(ALGORITHMS)}.")
    if not isinstance(jwk, dict) or _PRIVATE & jwk.keys():
        raise InvalidDpopProof("jwk is a public key, without any private part.")
    try:
        return _import(jwk, ALGORITHMS[algorithm]), algorithm
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise InvalidDpopProof("jwk is not a key of this algorithm.") from None


def _import(jwk: Mapping[str, Any], kind: str) -> Key:
    if kind == "RSA":
        if jwk["kty"] != "RSA" or base64_to_int(jwk["n"]).bit_length() < 2048:
            raise ValueError("too short")
        return RSAKey.import_key({"kty": "RSA", "n": jwk["n"], "e": jwk["e"]})
    if jwk["kty"] != "EC" or jwk["crv"] != kind:
        raise ValueError("another curve")
    return ECKey.import_key({"kty": "EC", "crv": kind, "x": jwk["x"], "y": jwk["y"]})


def _same_address(htu: Any, url: str) -> bool:
    """Without query and fragment, after the normalisation of RFC 3986 §6.2.2 and §6.2.3 (§4.3, check 9)."""
    if not isinstance(htu, str):
        return False
    try:
        return _normal(htu) == _normal(url)
    except ValueError:
        return False


def _normal(url: str) -> tuple[str, str, int | None, str]:
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError("user")
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(scheme), unquote(parts.path) or "/"


def _moment(claims: Mapping[str, Any], now: float) -> float:
    made = claims.get("iat")
    if isinstance(made, bool) or not isinstance(made, int | float):
        raise InvalidDpopProof("iat is missing.")
    if not now - WINDOW - SKEW < made <= now + SKEW:
        raise InvalidDpopProof(f"iat is not within the last {WINDOW} s.")
    ends, starts = claims.get("exp", now), claims.get("nbf", now)
    for moment in (ends, starts):
        if isinstance(moment, bool) or not isinstance(moment, int | float):
            raise InvalidDpopProof("exp or nbf is malformed.")
    if ends <= now - SKEW or starts > now + SKEW:
        raise InvalidDpopProof("exp or nbf says that the proof is not in force.")
    return float(made) + WINDOW + SKEW


def _is_hash_of(ath: Any, token: str) -> bool:
    expected = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
    return isinstance(ath, str) and ath.isascii() and hmac.compare_digest(ath, expected)


async def use(connection: "asyncpg.Connection | asyncpg.Pool", client: int, proof: Proof) -> None:
    """Raises InvalidDpopProof for a proof that was used before (§11.1): one insert under a unique key decides, so of
    racers on any workers exactly one passes."""
    first = await connection.fetchval(
        """
        insert into assertion_seen (client, jti, expires_at) values ($1, $2, to_timestamp($3))
        on conflict do nothing returning true
        """,
        client,
        hashlib.sha256(f"dpop\0{proof.thumbprint}\0{proof.jti}".encode("utf-8", "surrogatepass")).digest(),
        proof.forget,
    )
    if not first:
        raise InvalidDpopProof("The proof was used before.")


_NONCE: Final = context("dpop nonce")


class Nonces:
    """Nonces that every worker knows and none has to keep: the moment each was given, sealed under the territory's key.

    One that is sent must be ours and young. Whether one *must* be sent is the installation's choice
    (LIAISON_DPOP_NONCE): it costs clients a second call whenever theirs has run out.
    """

    def __init__(self, sealer: Sealer, *, required: bool) -> None:
        self._sealer = sealer
        self.required = required

    def new(self, now: float) -> str:
        """For the header DPoP-Nonce. `now` by the database's clock."""
        sealed = self._sealer.seal(_NONCE, int(now).to_bytes(8, "big"))
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def check(self, nonce: str, now: float) -> None:
        """Raises UseDpopNonce for one that is missing where it must not be, not ours, or old."""
        if not nonce:
            if self.required:
                raise UseDpopNonce(self.new(now))
            return
        try:
            sealed = base64.urlsafe_b64decode(f"{nonce}{'=' * (-len(nonce) % 4)}")
            given = int.from_bytes(self._sealer.open(_NONCE, sealed), "big")
        except (NotAuthentic, ValueError):
            raise UseDpopNonce(self.new(now)) from None
        if not now - NONCE_SECONDS < given <= now + SKEW:
            raise UseDpopNonce(self.new(now))
