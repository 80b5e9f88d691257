"""The keys that sign what we issue (RFC 7517). Private halves lie sealed in the database, under the territory key.

ES256 signs access tokens. RS256 signs id_tokens only, because SMART requires it of servers. The newest key of an
algorithm signs; older ones stay published until they are retired, so that what they signed can still be verified.
"""

import time
from collections.abc import Collection
from typing import Any, Final, NamedTuple, Protocol

import asyncpg
import orjson
from joserfc.jwk import ECKey, RSAKey

from liaison.fhir.store.database import Database
from liaison.fhir.vault import context

ACCESS: Final = "ES256"
IDENTITY: Final = "RS256"
_LOCK: Final = 0x11A0EF  # one process at a time makes keys
_FRESH: Final = 60.0
"""Seconds after which a worker looks for keys that another worker has made."""

PrivateKey = ECKey | RSAKey


class _Kept(NamedTuple):
    algorithm: str
    sealed: bytes


class Sealer(Protocol):
    """liaison.fhir.vault.PatientKey of the territory."""

    def seal(self, bound_to: bytes, plain: bytes) -> bytes: ...
    def open(self, bound_to: bytes, sealed: bytes) -> bytes: ...


class SigningKeys:
    """Open once a process. Finds by itself the keys that other workers have made; unseals one when it is first used
    (to check an RSA key takes a tenth of a second)."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        """Use `open`."""
        self._database = database
        self._sealer = sealer
        self._kept: dict[str, _Kept] = {}
        self._opened: dict[str, PrivateKey] = {}
        self._newest: dict[str, str] = {}
        self._public: list[dict[str, Any]] = []
        self._read_at = 0.0

    @classmethod
    async def open(
        cls, database: Database, sealer: Sealer, algorithms: Collection[str] = (ACCESS, IDENTITY)
    ) -> "SigningKeys":
        """Reads the keys; makes those of a new database, once however many workers start together. Who signs no
        id_token can do without an RSA key."""
        keys = cls(database, sealer)
        await keys._read()
        if not keys._newest.keys() >= set(algorithms):
            async with database.writing.acquire() as connection, connection.transaction():
                await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
                held = {
                    row[0]
                    for row in await connection.fetch(
                        "select distinct algorithm from signing_key where retired_at is null"
                    )
                }
                for algorithm in algorithms:
                    if algorithm not in held:
                        await keys._make(connection, algorithm)
            await keys._read()
        return keys

    async def rotate(self, algorithm: str) -> str:
        """Makes a new signing key; its kid. The old ones stay published: retire them when what they signed is dead."""
        async with self._database.writing.acquire() as connection, connection.transaction():
            await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
            kid = await self._make(connection, algorithm)
        await self._read()
        return kid

    async def retire(self, older_than_seconds: int) -> int:
        """Stops publishing keys, save the newest of each algorithm, that were replaced so long ago. How many."""
        retired: int = await self._database.writing.fetchval(
            """
            with gone as (
                update signing_key old set retired_at = now()
                where retired_at is null and exists (
                    select from signing_key new where new.algorithm = old.algorithm and new.made_at > old.made_at
                    and new.made_at < now() - make_interval(secs => $1))
                returning 1)
            select count(*) from gone
            """,
            float(older_than_seconds),
        )
        await self._read()
        return retired

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

    async def _read(self) -> None:
        rows = await self._database.reading.fetch(
            "select kid, algorithm, public, sealed from signing_key where retired_at is null order by made_at"
        )
        self._kept = {kid: _Kept(algorithm, bytes(sealed)) for kid, algorithm, _, sealed in rows}
        self._opened = {kid: key for kid, key in self._opened.items() if kid in self._kept}
        self._newest = {kept.algorithm: kid for kid, kept in self._kept.items()}
        self._public = [orjson.loads(row["public"]) for row in rows]
        self._read_at = time.monotonic()

    async def signing(self, algorithm: str) -> PrivateKey:
        """The newest key of an algorithm."""
        if time.monotonic() - self._read_at > _FRESH:
            await self._read()
        return self._open(self._newest[algorithm])

    async def verifying(self, kid: str) -> PrivateKey | None:
        """The published key of this name; asks the database at most once a second for a name it does not know."""
        if kid not in self._kept and time.monotonic() - self._read_at > 1:
            await self._read()
        return self._open(kid) if kid in self._kept else None

    def _open(self, kid: str) -> PrivateKey:
        key = self._opened.get(kid)
        if key is None:
            algorithm, sealed = self._kept[kid]
            private = orjson.loads(self._sealer.open(_bound(kid, algorithm), sealed))
            key = self._opened[kid] = ECKey.import_key(private) if algorithm == ACCESS else RSAKey.import_key(private)
        return key

    async def published(self) -> dict[str, Any]:
        """The JWK Set, public halves only."""
        if time.monotonic() - self._read_at > _FRESH:
            await self._read()
        return {"keys": self._public}


def _bound(kid: str, algorithm: str) -> bytes:
    return context("signing key", kid, algorithm)
