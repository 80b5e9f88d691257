"""Who is calling, from the Authorization header (RFC 6750 §2.1; never from a query or a body).

The signature of a token is verified once a worker; afterwards the token is known by its hash. What the caller may see
is not known here: SQL looks the session up in each statement, so a session that has ended sees nothing at once, on
every worker, however well its token is known.
"""

import hashlib
import time
from typing import Final

from liaison.auth import sessions
from liaison.auth.caller import Caller
from liaison.auth.oauth2 import rfc9068
from liaison.auth.oauth2.keys import SigningKeys
from liaison.fhir.store import faults
from liaison.fhir.store.database import Database

_KEPT: Final = 20_000


class Bearer:
    """One a worker. `caller` is the hot path: for a known token, one hash and one look-up in memory."""

    def __init__(self, database: Database, keys: SigningKeys, issuer: str, audience: str) -> None:
        self._database = database
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._known: dict[bytes, tuple[Caller, float]] = {}

    async def caller(self, authorization: str) -> Caller:
        """The caller of a header 'Bearer …'. Raises Unauthorized for anything else, Unavailable without database."""
        digest = hashlib.blake2b(authorization.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        known = self._known.get(digest)
        if known is not None and time.time() < known[1]:
            return known[0]
        return await self._verify(authorization, digest)

    async def _verify(self, authorization: str, digest: bytes) -> Caller:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise rfc9068.refused()
        with faults.reported():
            verified = await rfc9068.verify(self._keys, token.strip(" "), issuer=self._issuer, audience=self._audience)
            caller = await sessions.caller_of(self._database.reading, verified.session)
        if caller is None:
            raise rfc9068.refused()
        if len(self._known) >= _KEPT:
            self._make_room()
        self._known[digest] = caller, verified.expires_at
        return caller

    def _make_room(self) -> None:
        now = time.time()
        alive = {digest: one for digest, one in self._known.items() if one[1] > now}
        # Still full of live tokens: drop the older half, which only costs a second verification.
        self._known = alive if len(alive) < _KEPT else dict(list(alive.items())[_KEPT // 2 :])
