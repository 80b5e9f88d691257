"""Who is calling, from the Authorization header (RFC 6750 §2.1, RFC 9449 §7.1; never from a query or a body).

The signature of a token is verified once a worker; afterwards the token is known by its hash. What the caller may see
is not known here: SQL looks the session up in each statement, so a session that has ended sees nothing at once, on
every worker, however well its token is known. A token that is bound (oauth2.confirmation) is worth what the call shows
beside it: a proof of its own, or the certificate of its connection. That is looked at at every call.
"""

import hashlib
from dataclasses import replace
from typing import Final, NamedTuple

from liaison.auth import sessions
from liaison.auth.caller import Caller
from liaison.auth.oauth2 import rfc8705, rfc9068, rfc9449
from liaison.auth.oauth2.confirmation import JKT, X5T, Confirmation
from liaison.auth.oauth2.errors import InvalidDpopProof, UseDpopNonce
from liaison.auth.oauth2.keys import SigningKeys
from liaison.fhir.errors import Unauthorized
from liaison.fhir.store import faults
from liaison.fhir.store.database import Database

_KEPT: Final = 20_000


class Call(NamedTuple):
    """What of a call a bound token is measured by. `path` is below the FHIR base; `proof` is the header DPoP, and
    `certificate` the header Client-Cert that the proxy has set."""

    method: str = ""
    path: str = ""
    proof: str = ""
    certificate: str = ""
    url: str = ""
    """Where it was made to, when that is not below the FHIR base."""


NO_CALL: Final = Call()


class _Known(NamedTuple):
    caller: Caller
    expires_at: float
    bound_to: Confirmation


class NoToken(Unauthorized):
    """A call that shows no token at all: it is asked for one, and told of no error (RFC 6750 §3.1)."""


class UnboundProof(Unauthorized):
    """A call with a DPoP token whose proof does not hold (RFC 9449 §7.1). `nonce`, when it asks for one."""

    def __init__(self, error: InvalidDpopProof | UseDpopNonce) -> None:
        self.error = error.error
        self.nonce = error.nonce if isinstance(error, UseDpopNonce) else ""
        super().__init__(error.description)


class Bearer:
    """One a worker. `caller` is the hot path: for a known token, one hash and one look-up in memory."""

    def __init__(
        self, database: Database, keys: SigningKeys, issuer: str, audience: str, nonces: rfc9449.Nonces | None = None
    ) -> None:
        self._database = database
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._nonces = nonces
        self._known: dict[bytes, _Known] = {}

    async def caller(self, authorization: str, call: Call = NO_CALL) -> Caller:
        """The caller of a header 'Bearer …' or 'DPoP …'. Raises Unauthorized for anything else, Unavailable without
        database."""
        digest = hashlib.sha256(authorization.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(digest)
        if known is None or self._database.clock.seconds() >= known.expires_at:
            known = await self._verify(authorization, digest)
        if known.bound_to.member:
            await self._measure(known, authorization.partition(" ")[2].strip(" "), call)
        return known.caller

    async def _measure(self, known: _Known, token: str, call: Call) -> None:
        """Raises Unauthorized unless the call shows what the token is bound to."""
        thumbprint = known.bound_to.thumbprint
        if known.bound_to.member == X5T:
            if not rfc8705.holds(thumbprint, call.certificate):
                raise rfc9068.refused()
            return
        try:
            url = call.url or (f"{self._audience}/{call.path}" if call.path else self._audience)
            now = self._database.clock.seconds()
            proof = rfc9449.read_proof(call.proof, method=call.method, url=url, token=token, now=now)
            if proof.thumbprint != thumbprint:
                raise InvalidDpopProof("The proof is by another key than the token is bound to.")
            if self._nonces is not None:
                self._nonces.check(proof.nonce, now)
            with faults.reported():
                await rfc9449.use(self._database.writing, known.caller.client, proof)
        except (InvalidDpopProof, UseDpopNonce) as error:
            raise UnboundProof(error) from None

    async def _verify(self, authorization: str, digest: bytes) -> _Known:
        scheme, _, token = authorization.partition(" ")
        scheme = scheme.lower()
        if scheme not in ("bearer", "dpop") or not token:
            raise NoToken(str(rfc9068.refused()))
        with faults.reported():
            verified = await rfc9068.verify(self._keys, token.strip(" "), issuer=self._issuer, audience=self._audience)
            caller = await sessions.caller_of(self._database.reading, verified.session)
        # A bound token presented as Bearer, and an unbound one as DPoP, fail (RFC 9449 §7.1, §7.2).
        if caller is None or (scheme == "dpop") != (verified.confirmation.member == JKT):
            raise rfc9068.refused()
        if len(self._known) >= _KEPT:
            self._make_room()
        if verified.confirmation.member:
            caller = replace(caller, bound_to=verified.confirmation)
        known = self._known[digest] = _Known(caller, verified.expires_at, verified.confirmation)
        return known

    def _make_room(self) -> None:
        now = self._database.clock.seconds()
        alive = {digest: one for digest, one in self._known.items() if one.expires_at > now}
        # Still full of live tokens: drop the older half, which only costs a second verification.
        self._known = alive if len(alive) < _KEPT else dict(list(alive.items())[_KEPT // 2 :])
