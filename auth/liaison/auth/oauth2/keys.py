"""The keys that sign what we issue (RFC 7517). Private halves lie sealed in the database, under the territory key.

ES256 signs access tokens. RS256 signs id_tokens only, because SMART requires it of servers. The newest key of an
algorithm signs; older ones stay published until they are retired, so that what they signed can still be verified. Which
key is the newest, and which are published, is asked of the database each time: a rotation holds at once, everywhere.
"""

from collections.abc import Collection
from typing import Any, Final, Protocol

import asyncpg
import orjson
from joserfc.jwk import ECKey, RSAKey

from liaison.fhir.store.database import Database
from liaison.fhir.vault import context

ACCESS: Final = "ES256"
IDENTITY: Final = "RS256"
_LOCK: Final = 0x11A0EF  # one process at a time makes keys
OVERLAP: Final = 3600
"""Seconds for which a replaced key stays published: far longer than what it signed (rfc9068.LIFETIME, id_token.LIFETIME),
as long as software may keep our key set."""

PrivateKey = ECKey | RSAKey


class Sealer(Protocol):
    """liaison.fhir.vault.PatientKey of the territory."""

    def seal(self, bound_to: bytes, plain: bytes) -> bytes: ...
    def open(self, bound_to: bytes, sealed: bytes) -> bytes: ...


class SigningKeys:
    """Open once a process. Keeps the keys, never which of them is in force; unseals one when it is first used (to check
    an RSA key takes a tenth of a second)."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        """Use `open`."""
        self._database = database
        self._sealer = sealer
        self._opened: dict[str, PrivateKey] = {}

    @classmethod
    async def open(
        cls, database: Database, sealer: Sealer, algorithms: Collection[str] = (ACCESS, IDENTITY)
    ) -> "SigningKeys":
        """Reads the keys; makes those of a new database, once however many workers start together. Who signs no
        id_token can do without an RSA key."""
        keys = cls(database, sealer)
        if not await _held(database.reading) >= set(algorithms):
            async with database.writing.acquire() as connection, connection.transaction():
                await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
                held = await _held(connection)
                for algorithm in algorithms:
                    if algorithm not in held:
                        await keys._make(connection, algorithm)
        return keys

    def seconds(self) -> float:
        """By the database's clock: when what is signed with these keys begins and ends."""
        return self._database.clock.seconds()

    async def rotate(self, algorithm: str) -> str:
        """Makes a new signing key; its kid. The old ones stay published: retire them when what they signed is dead."""
        async with self._database.writing.acquire() as connection, connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
            return await self._make(connection, algorithm)

    async def _make(self, connection: asyncpg.Connection, algorithm: str) -> str:
        made: PrivateKey
        if algorithm == ACCESS:
            made = ECKey.generate_key("P-256", auto_kid=True)
        else:
            made = RSAKey.generate_key(2048, auto_kid=True)
        kid = str(made.kid)
        public = {**made.as_dict(private=False), "kid": kid, "use": "sig", "alg": algorithm}
        sealed = self._sealer.seal(_bound(kid, algorithm), orjson.dumps(made.as_dict(private=True)))
        await connection.execute(
            "insert into signing_key (kid, algorithm, public, sealed, made_at) values ($1, $2, $3, $4, clock_timestamp())",
            kid,
            algorithm,
            orjson.dumps(public).decode(),
            sealed,
        )
        return kid

    async def signing(self, algorithm: str) -> PrivateKey:
        """The newest key of an algorithm, now."""
        kid = await self._database.reading.fetchval(_NEWEST, algorithm)
        key = self._opened.get(kid) or await self.verifying(kid)
        assert key is not None, "the newest key is never retired"
        return key

    async def verifying(self, kid: str) -> PrivateKey | None:
        """The published key of this name."""
        if "\0" in kid:
            return None  # no text of PostgreSQL's
        row = await self._database.reading.fetchrow(_PUBLISHED, kid)
        if row is None:
            self._opened.pop(kid, None)
            return None
        return self._opened.get(kid) or self._open(kid, row["algorithm"], bytes(row["sealed"]))

    def _open(self, kid: str, algorithm: str, sealed: bytes) -> PrivateKey:
        private = orjson.loads(self._sealer.open(_bound(kid, algorithm), sealed))
        key = self._opened[kid] = ECKey.import_key(private) if algorithm == ACCESS else RSAKey.import_key(private)
        return key

    async def published(self) -> dict[str, Any]:
        """The JWK Set, public halves only."""
        rows = await self._database.reading.fetch(
            "select public from signing_key where retired_at is null order by made_at"
        )
        return {"keys": [orjson.loads(row["public"]) for row in rows]}


_NEWEST: Final = """
select kid from signing_key where algorithm = $1 and retired_at is null order by made_at desc, kid limit 1
"""
_PUBLISHED: Final = "select algorithm, sealed from signing_key where kid = $1 and retired_at is null"


async def _held(connection: "asyncpg.Connection | asyncpg.Pool") -> set[str]:
    rows = await connection.fetch("select distinct algorithm from signing_key where retired_at is null")
    return {row["algorithm"] for row in rows}


async def retire(connection: "asyncpg.Connection | asyncpg.Pool", replaced_for: float = OVERLAP) -> int:
    """Stops publishing keys, save the newest of each algorithm, that were replaced so many seconds ago. How many."""
    retired: int = await connection.fetchval(
        """
        with gone as (
            update signing_key old set retired_at = now()
            where retired_at is null and exists (
                select from signing_key new where new.algorithm = old.algorithm and new.made_at > old.made_at
                and new.made_at <= now() - make_interval(secs => $1))
            returning 1)
        select count(*) from gone
        """,
        float(replaced_for),
    )
    return retired


def _bound(kid: str, algorithm: str) -> bytes:
    return context("signing key", kid, algorithm)
