"""Which records refer into a record: kept with the record referred to, so that finding them costs what they are.

A reference into another patient's record is rare. Its own record carries a mark (contract.FOREIGN), which says so to whoever
looks there; whoever asks what refers *here* would have to look at each record there is. So the writer also leaves a row
with the record referred to: (patient, type, parameter) of the reference, enciphered under the key of the patient it leads
to, so that a stolen table pairs no two patients.

Rows are never too few: each is written in the transaction of its reference. They may be too many: a reference that has
gone leaves its row, until the record referred to is erased. They grant nothing: what they lead to is looked for among what the
caller may see.
"""

import struct
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple

import asyncpg
import structlog

from liaison.fhir.errors import Unavailable
from liaison.fhir.store.database import Database
from liaison.fhir.store.faults import reported
from liaison.fhir.store.lanes import Lanes
from liaison.fhir.vault import PatientKey, Vault

log = structlog.get_logger()

SINCE: Final = 2
"""The generation of the index (liaison.fhir.search.index) from which on every reference has its row."""

_BLOCK: Final = struct.Struct(">qhhI")

_ADD: Final = """
    insert into referring (patient, source)
    select k.patient, k.source from unnest($1::bigint[], $2::bytea[]) as k(patient, source)
    join patient p on p.patient = k.patient and p.wrapped is not null  -- an erasure waits for us, or we for it
    order by k.patient, k.source for share of p
    on conflict do nothing
"""


class Source(NamedTuple):
    """A record, and the type and parameter of the references by which it refers to another."""

    patient: int
    kind: int
    param: int


class Referring:
    """The open store's view of these rows, as of now: of any snapshot taken before, it has all and perhaps more."""

    def __init__(self, database: Database, lanes: Lanes, vault: Vault) -> None:
        self._database, self._lanes, self._vault = database, lanes, vault
        self._complete = False

    async def complete(self) -> bool:
        """Whether the rows are all there: not until `liaison reindex` has gone over a base of an older version."""
        if not self._complete:
            [[done]] = await self._database.fetch("select count(*) from reindexing where done >= $1", SINCE)
            self._complete = done == 2
        return self._complete

    async def to(self, patients: Collection[int]) -> dict[int, list[Source]]:
        """What refers into each of these records. Raises Unavailable for a row that is not of its record."""
        found = await self._lanes.fetch(
            "select patient, source from referring where patient = any($1::bigint[]) order by patient, source",
            sorted(patients),
        )
        if not found:
            return {}
        with reported():
            keys = await self._vault.patient_keys(self._database.reading, {patient for patient, _ in found})
        sources: dict[int, list[Source]] = {}
        for patient, source in found:
            if patient in keys:  # erased meanwhile otherwise
                sources.setdefault(patient, []).append(_opened(keys[patient], source))
        return sources


async def add(
    connection: asyncpg.Connection,
    vault: Vault,
    references: Iterable[tuple[int, int, int]],
    versions: Sequence[Sequence[Any]],
) -> None:
    """Writes the rows of references: (place of the version, parameter, patient referred to). `versions` start with
    patient and kind. Those into a record that was erased, or never was, have none."""
    wanted = set()
    for n, param, target in references:
        patient, kind, *_ = versions[n - 1]
        wanted.add((target, Source(patient, kind, param)))
    if not wanted:
        return
    keys = await vault.patient_keys(connection, {target for target, _ in wanted})
    made = sorted(
        (target, keys[target].encipher(_BLOCK.pack(*source, 0))) for target, source in wanted if target in keys
    )
    await connection.execute(_ADD, [target for target, _ in made], [block for _, block in made])


def _opened(key: PatientKey, block: bytes) -> Source:
    *source, zero = _BLOCK.unpack(key.decipher(block))
    if zero:
        log.error("referring_not_authentic", patient=key.patient)
        raise Unavailable("A stored row did not pass its integrity check. Nothing was disclosed.")
    return Source(*source)
