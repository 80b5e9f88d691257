"""The hot path: current versions, one query for all the reads that arrive together; visibility is part of the query."""

import asyncio
import contextlib
from collections.abc import Awaitable, Sequence
from typing import Any, Final, Literal, NamedTuple

import asyncpg

from liaison.fhir.store.batching import Batcher
from liaison.fhir.store.contract import AccessFilter, Caller, Key, Row
from liaison.fhir.store.database import Database, connection
from liaison.fhir.store.faults import is_unavailable, reported
from liaison.fhir.store.rows import COLUMNS, grants_of, rows_of
from liaison.fhir.vault import PatientKey, Vault

Family = Literal["patient", "directory"]

_TABLES: Final[dict[Family, str]] = {"patient": "version", "directory": "directory_version"}


class _Asked(NamedTuple):
    session: int
    key: Key


PLANNING: Final = (
    "set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_hashjoin = off;"
    " set enable_mergejoin = off; set enable_bitmapscan = off"
)
"""Our statements probe indexes, whatever the statistics of an almost empty table say; planned once, kept for good."""


class _Lane:
    """Batches of one family, one at a time, on a connection of its own that is replaced when it breaks."""

    def __init__(self, database: Database, vault: Vault, filter_: AccessFilter, family: Family) -> None:
        self._database = database
        self._vault = vault
        self._statement = _current(filter_, family)
        self._connection: asyncpg.Connection | None = None
        self._prepared: Any = None

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def read(self, asked: Sequence[_Asked]) -> Sequence[Row | None]:
        with reported():
            try:
                records = await self._fetch(asked)
            except Exception as error:
                if not is_unavailable(error):
                    raise
                # The server may have been restarted since the last batch: one attempt on a new connection.
                await self._drop()
                records = await self._fetch(asked)
            return self._rows(asked, records)

    async def _fetch(self, asked: Sequence[_Asked]) -> list[Any]:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connection(self._database.url)
            await self._connection.execute(PLANNING)
            self._prepared = await self._connection.prepare(self._statement)
        sessions, patients, kinds, resources, unknown = [], [], [], [], []
        cached = self._vault.cached
        for session, (patient, kind, res) in asked:
            sessions.append(session)
            patients.append(patient)
            kinds.append(kind)
            resources.append(res)
            unknown.append(None if cached(patient) is not None else patient)
        return await self._prepared.fetch(sessions, patients, kinds, resources, unknown)  # type: ignore[no-any-return]  # asyncpg has no types

    async def _drop(self) -> None:
        dropped, self._connection = self._connection, None
        if dropped is not None:
            dropped.terminate()
            await asyncio.sleep(0)

    def _rows(self, asked: Sequence[_Asked], records: list[Any]) -> list[Row | None]:
        rows: list[Row | None] = [None] * len(asked)
        for n, version, at, deleted, classes, author, service, addressee, sealed, evidence, shelf, wrapped in records:
            if version is None:
                continue
            key = asked[n - 1][1]
            grants = grants_of(evidence, author, service, addressee)
            rows[n - 1] = Row(key, version, at, deleted, classes, author, service, addressee, sealed, grants)
            if wrapped is not None:
                self._keep(key.patient, shelf, wrapped)
        return rows

    def _keep(self, patient: int, shelf: int, wrapped: bytes) -> None:
        with contextlib.suppress(KeyError):  # of a shelf made by another process: opening the row will load it
            self._vault.patient_key(patient, wrapped, shelf)


def _decided(filter_: AccessFilter, family: Family, row: str, session: str) -> str:
    """A FROM item: whether the row may be seen, and by which grants."""
    if family == "patient":
        return filter_.decided(row, session)
    return f"lateral (select {filter_.visible_directory(row, session)} as allowed, null::text as evidence)"


def _current(filter_: AccessFilter, family: Family) -> str:
    # Rights on the patient are judged whether or not there is a row, so that what is hidden takes as long as what is nobody's.
    # An absent row has some class, or PostgreSQL would see before it looks that nothing comes of it; `_rows` leaves it out.
    return f"""
        select k.n, v.version, v.at, v.deleted, v.classes, v.author, v.service, v.addressee, v.sealed, d.evidence,
               p.shelf, p.wrapped
        from unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::bigint[], $5::bigint[]) with ordinality
             as k(session, patient, kind, res, unknown, n)
        left join {_TABLES[family]} v
          on v.patient = k.patient and v.kind = k.kind and v.res = k.res and v.superseded is null
        cross join lateral (select k.patient, k.kind, coalesce(v.classes, 1) as classes, v.author, v.service, v.addressee) o
        cross join {_decided(filter_, family, "o", "k.session")} d
        left join patient p on p.patient = k.unknown
        where d.allowed
    """


def _versions(filter_: AccessFilter, family: Family, condition: str) -> str:
    return f"""
        select {COLUMNS}, d.evidence
        from {_TABLES[family]} v cross join {_decided(filter_, family, "v", "$1::bigint")} d
        where v.patient = $2::bigint and v.kind = $3::smallint and v.res = $4::bigint and {condition} and d.allowed
        order by v.version desc limit $6::bigint
    """


_CLASSES: Final = """
    select v.patient, v.kind, v.res, v.classes from version v
    join unnest($1::bigint[], $2::smallint[], $3::bigint[]) as k(patient, kind, res) using (patient, kind, res)
    where v.superseded is null
"""


class Reader:
    """Rows that the caller may see, still sealed. What may not be seen and what does not exist are both None."""

    def __init__(self, database: Database, vault: Vault, filter_: AccessFilter) -> None:
        self._database = database
        self._vault = vault
        self._lanes = {family: _Lane(database, vault, filter_, family) for family in _TABLES}
        self._batches: dict[Family, Batcher[_Asked, Row | None]] = {
            family: Batcher(lane.read) for family, lane in self._lanes.items()
        }
        self._of_patients = self._batches["patient"].put
        self._of_directory = self._batches["directory"].put
        self._one = {family: _versions(filter_, family, "v.version = $5::integer") for family in _TABLES}

    async def close(self) -> None:
        for batches in self._batches.values():
            await batches.close()
        for lane in self._lanes.values():
            await lane.close()

    def read(self, caller: Caller, key: Key) -> Awaitable[Row | None]:
        """The current version, a deletion included."""
        return (self._of_patients if key.patient else self._of_directory)(_Asked(caller.session, key))

    async def back(self) -> None:
        """Returns when the batches under way are back: at once when there are none, and soon in any case."""
        for batches in self._batches.values():
            await batches.back(_SOON)

    async def version(self, caller: Caller, key: Key, version: int) -> Row | None:
        """One version, judged by its own classes and the caller's rights of now."""
        rows = await self._fetch(self._one, caller, key, min(version, _NO_VERSION), 1)
        return rows[0] if rows else None

    async def _fetch(
        self, statements: dict[Family, str], caller: Caller, key: Key, version: int, count: int
    ) -> list[Row]:
        statement = statements["patient" if key.patient else "directory"]
        records = await self._database.fetch(statement, caller.session, key.patient, key.kind, key.res, version, count)
        return rows_of(records)

    async def classes(self, keys: Sequence[Key]) -> dict[Key, int]:
        """The classes of these items as they are stored, whoever sees them: for what must not be named, and nothing else."""
        if not keys:
            return {}
        records = await self._database.fetch(_CLASSES, *map(list, zip(*keys, strict=True)))
        return {Key(patient, kind, res): classes for patient, kind, res, classes in records}

    async def keys(self, rows: Sequence[Row]) -> dict[int, PatientKey]:
        """The data keys of the rows' patients."""
        return await self._vault.patient_keys(self._database, {row.key.patient for row in rows})


_NO_VERSION: Final = 2**31 - 1
_SOON: Final = 0.02
