"""The public keys of a client (RFC 7517): registered with it, or read from its `jwks_uri`.

https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html (§ "Registering a client"): both ways
are supported, and a key set is never kept longer than its Cache-Control says. A vendor rotates its keys by publishing
the new one: a `kid` that is not in the set kept is asked for again at once. Whoever invents kids makes us ask once in
`AGAIN` seconds and client, no more.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

from liaison.auth.safe_fetch import Fetcher, NotFetched

if TYPE_CHECKING:
    from liaison.auth.oauth2.clients import Client

AGAIN: Final = 5.0
"""Seconds between two fetches for one client that a `kid` not yet known, or a failure, asks for."""
LONGEST: Final = 3600.0
"""However long a vendor lets its keys be kept: one that it takes away is dead within the hour."""
MOST_KEYS: Final = 20
PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""The members of a JWK that are nobody's but its owner's (RFC 7518 §6.2.2, §6.3.2, §6.4)."""
_CLIENTS: Final = 1000

Keys = Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class _Kept:
    url: str
    keys: Keys = ()
    fetched_at: float = float("-inf")
    until: float = float("-inf")
    failed: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One connection a client, however many ask at once."""


class KeySets:
    """One a worker: the key sets of clients, each kept no longer than it may be."""

    def __init__(self, fetcher: Fetcher | None = None) -> None:
        self.fetcher = fetcher or Fetcher()
        self._kept: dict[int, _Kept] = {}

    async def of(self, client: "Client", kid: Any) -> Keys:
        """The keys of the client among which `kid` is looked for. Nothing for a set that cannot be had."""
        if not client.jwks_uri:
            return client.keys
        kept = self._kept.get(client.number)
        if kept is None or kept.url != client.jwks_uri:
            if len(self._kept) >= _CLIENTS:
                self._kept.clear()
            kept = self._kept[client.number] = _Kept(client.jwks_uri)
        async with kept.lock:
            return await self._current(kept, kid)

    async def _current(self, kept: _Kept, kid: Any) -> Keys:
        now = time.monotonic()
        known = any(key.get("kid") == kid for key in kept.keys)
        if now < kept.until and (known or now < kept.fetched_at + AGAIN):
            return kept.keys
        if kept.failed and now < kept.fetched_at + AGAIN:
            return ()
        return await self._fetch(kept)

    async def _fetch(self, kept: _Kept) -> Keys:
        kept.fetched_at = time.monotonic()
        try:
            document = await self.fetcher.get(kept.url)
            keys = read_key_set(document.content)
        except (NotFetched, ValueError):
            # Who cannot say its keys today has none: a set that has run out is not used "just once more".
            kept.keys, kept.until, kept.failed = (), float("-inf"), True
            return ()
        # The clock started before the answer was made: never longer than it was let.
        kept.keys, kept.failed = keys, False
        kept.until = kept.fetched_at + min(float(document.max_age), LONGEST)
        return keys


def read_key_set(content: bytes) -> Keys:
    """The keys of a JWK Set (§5). Raises ValueError, saying what it is instead."""
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise ValueError("The document is not JSON.") from None
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or len(keys) > MOST_KEYS or not all(isinstance(key, dict) for key in keys):
        raise ValueError(f"The document is not a JWK Set of at most {MOST_KEYS} keys.")
    if any(key.keys() & PRIVATE for key in keys):
        # Published: whoever reads it signs as this client.
        raise ValueError("A private key is published there. Make a new key pair, and publish the public half.")
    return keys
