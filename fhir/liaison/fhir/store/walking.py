"""The current versions of a family of tables in the order of their keys, batch by batch: for what indexes them anew."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import asyncpg

from liaison.fhir.model import read
from liaison.fhir.store import rows
from liaison.fhir.store.contract import Key, Row, Tree
from liaison.fhir.store.faults import RETRIED
from liaison.fhir.store.index_rows import columns
from liaison.fhir.vault import PatientKey, Vault

T = TypeVar("T")

BATCH: Final = 200
FAMILIES: Final = {"version": "", "directory_version": "directory_"}
"""The prefix of the other tables of each family, by the table of its versions."""
START: Final = Key(-(2**63), -(2**15), -(2**63))

_NEXT = """
    select v.patient, v.kind, v.res from {family} v
    where v.superseded is null and (v.patient, v.kind, v.res) > ($1, $2, $3)
      and ($5::smallint[] is null or v.kind = any($5))
    order by v.patient, v.kind, v.res limit $4
"""

# A writer who supersedes one of them meanwhile is waited for, and its version then left out.
_HELD = """
    select {columns}, null from {family} v
    join unnest($1::bigint[], $2::smallint[], $3::bigint[]) as k(patient, kind, res)
      on v.patient = k.patient and v.kind = k.kind and v.res = k.res
    where v.superseded is null and not v.deleted order by v.patient, v.kind, v.res for share of v
"""


async def keys_after(one: asyncpg.Connection, family: str, after: Key, kinds: Sequence[int] | None = None) -> list[Key]:
    """The next BATCH keys, of these types or of any; none at the end."""
    found = await one.fetch(_NEXT.format(family=family), *after, BATCH, kinds)
    return [Key(*record) for record in found]


async def opened(
    one: asyncpg.Connection, vault: Vault, family: str, keys: Sequence[Key]
) -> list[tuple[Row, PatientKey, Tree]]:
    """Those that are still current and not deleted, locked against being superseded until the transaction ends. Of a
    record erased meanwhile there is nothing."""
    held = await one.fetch(_HELD.format(columns=rows.COLUMNS, family=family), *columns(keys, 3))
    found = [rows.row_of(record) for record in held]
    known = await vault.patient_keys(one, {row.key.patient for row in found} - {0}) | {0: vault.territory}
    return [(row, key, read(rows.open_(key, row))) for row in found if (key := known.get(row.key.patient)) is not None]


async def in_one_go(one: asyncpg.Connection, batch: Callable[[], Awaitable[T]]) -> T:
    """A batch in a transaction of its own, once more whenever it lost against a writer: nothing of it is done then."""
    while True:
        try:
            async with one.transaction():
                return await batch()
        except RETRIED:
            continue
