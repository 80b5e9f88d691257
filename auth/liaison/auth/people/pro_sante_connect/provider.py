"""What Pro Santé Connect publishes of itself: its addresses (OpenID Connect Discovery 1.0) and its keys (RFC 7517).

The issuer is pinned: the document must state exactly the one that is configured, and so must every token. Keys are kept
for minutes; a token with a kid that is not known has them read again at once, because keys are changed in mid-flight, but
not more than once in AGAIN seconds, whoever sends such tokens.
"""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from liaison.auth.people.pro_sante_connect import calls
from liaison.auth.people.pro_sante_connect.calls import NotAnswered

KEPT: Final = 600.0
AGAIN: Final = 5.0
ALGORITHM: Final = "RS256"
"""The one algorithm of its tokens. Never the header's choice: HS256 under our own secret would pass for its signature."""


@dataclass(frozen=True, slots=True)
class Registration:
    """How we are known to the provider. `accepted` are the `acr` values that are enough."""

    issuer: str
    client_id: str
    secret: str = field(repr=False)
    accepted: tuple[str, ...]
    redirect_uri: str
    after_logout: str


@dataclass(frozen=True, slots=True)
class Addresses:
    """`pushed` and `end_session` are '' where it offers none."""

    authorization: str
    token: str
    userinfo: str
    keys: str
    pushed: str
    end_session: str


class Provider:
    """One a worker; everything it remembers is public, and may be read again at any time."""

    def __init__(self, registration: Registration) -> None:
        self.registration = registration
        self._addresses: tuple[float, Addresses] | None = None
        self._keys: dict[str, RSAKey] = {}
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()

    async def addresses(self) -> Addresses:
        """Raises NotAnswered, also for a document of another issuer."""
        kept = self._addresses
        if kept is not None and time.monotonic() < kept[0] + KEPT:
            return kept[1]
        reply = await calls.ask(f"{self.registration.issuer}/.well-known/openid-configuration")
        said = reply.content
        if reply.status != 200 or said.get("issuer") != self.registration.issuer:
            raise NotAnswered("The provider's configuration is not that of the issuer which is configured here.")
        if "S256" not in said.get("code_challenge_methods_supported", ["S256"]):
            raise NotAnswered("The provider does not take PKCE with S256.")
        pushed, end_session = said.get("pushed_authorization_request_endpoint"), said.get("end_session_endpoint")
        found = Addresses(
            authorization=calls.trusted(said.get("authorization_endpoint")),
            token=calls.trusted(said.get("token_endpoint")),
            userinfo=calls.trusted(said.get("userinfo_endpoint")),
            keys=calls.trusted(said.get("jwks_uri")),
            pushed=calls.trusted(pushed) if pushed else "",
            end_session=calls.trusted(end_session) if end_session else "",
        )
        self._addresses = (time.monotonic(), found)
        return found

    async def key(self, kid: object) -> RSAKey | None:
        """The key of this kid; None when the provider publishes none of that name. Raises NotAnswered."""
        async with self._lock:
            age = time.monotonic() - self._read_at
            if age > KEPT or (kid not in self._keys and age > AGAIN):
                await self._read()
        return self._keys.get(kid) if isinstance(kid, str) else None

    async def _read(self) -> None:
        self._read_at = time.monotonic()
        reply = await calls.ask((await self.addresses()).keys)
        found: dict[str, RSAKey] = {}
        for one in reply.content.get("keys") or ():
            if not _signs(one):
                continue
            if one["kid"] in found:
                raise NotAnswered("The provider publishes two keys of one name.")
            try:
                found[one["kid"]] = RSAKey.import_key({"kty": "RSA", "n": one["n"], "e": one["e"]})
            except (JoseError, ValueError, KeyError, TypeError):
                continue  # a key that cannot be read verifies nothing
        self._keys = found


def _signs(key: Any) -> bool:
    return (
        isinstance(key, dict)
        and isinstance(key.get("kid"), str)
        and key.get("kty") == "RSA"
        and key.get("use", "sig") == "sig"
        and key.get("alg", ALGORITHM) == ALGORITHM
    )
