"""Tokens signed whatever they say, which a library refuses to; and DPoP proofs, with whatever fault a test asks for."""

import base64
import hashlib
import json
import time
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey


class Prover:
    """Holds a key and signs proofs with it. A part that is given as None is left out."""

    def __init__(self, key: ECKey | RSAKey | None = None, algorithm: str = "ES256") -> None:
        self.key = key or ECKey.generate_key("P-256")
        self.algorithm = algorithm

    @property
    def thumbprint(self) -> str:
        return self.key.thumbprint()

    def proof(
        self, method: str, url: str, token: str = "", *, header: dict[str, Any] | None = None, **changes: Any
    ) -> str:
        head = {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": self.key.as_dict(private=False), **(header or {})}
        claims = {"jti": f"{time.time_ns()}", "htm": method, "htu": url, "iat": int(time.time())}
        if token:
            claims["ath"] = _b64(hashlib.sha256(token.encode()).digest())
        claims |= changes
        return signed_raw(self.algorithm, self.key, head, claims)


def signed_raw(algorithm: str, key: ECKey | RSAKey, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """The JWS of these two; a part that is None is left out."""
    parts = [_b64(json.dumps(_given(part)).encode()) for part in (header, claims)]
    signer = jws.JWSRegistry.algorithms[algorithm]
    return ".".join([*parts, _b64(signer.sign(".".join(parts).encode(), key))])


def _given(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if value is not None}


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
