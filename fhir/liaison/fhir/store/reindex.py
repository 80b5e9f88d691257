"""The index rows of what is stored, made anew while the service serves: after a change of what the search keeps.

One pass goes over the current versions of a family in the order of their keys. Each batch is a transaction that also
writes down how far the pass has come: one that is stopped, or killed, goes on from there. A version written meanwhile
is indexed by whoever writes it, who must run this version of the code. Index rows of superseded versions stay as they
are, for the cursors that still page over them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

import asyncpg

from liaison.fhir.definitions import type_of
from liaison.fhir.errors import Conflict
from liaison.fhir.store import ids, index_rows, referring, walking
from liaison.fhir.store.contract import Key, Row, Tree
from liaison.fhir.store.database import Database, connection
from liaison.fhir.store.faults import reported
from liaison.fhir.store.index_rows import IndexRows, columns
from liaison.fhir.store.parameters import Parameters
from liaison.fhir.store.writer import Index
from liaison.fhir.vault import PatientKey, Vault

_BREATH: Final = 20  # versions between two turns of the event loop: the service answers meanwhile
_LOCK: Final = 0x11A15F  # one pass at a time on a database

Progress = Callable[[int], None]
Opened = Sequence[tuple[Row, PatientKey, Tree]]
Beside = Callable[[asyncpg.Connection, Opened], Awaitable[None]]
"""Makes anew what the areas above keep beside the index, in the transaction of a batch and of its versions."""

_STATE = "select done, towards, after_patient, after_kind, after_res from reindexing where family = $1"

_KEEP = """
    insert into reindexing (family, done, towards, after_patient, after_kind, after_res) values ($1, $2, $3, $4, $5, $6)
    on conflict (family) do update set done = excluded.done, towards = excluded.towards,
        after_patient = excluded.after_patient, after_kind = excluded.after_kind, after_res = excluded.after_res
"""

# Whoever adds a search parameter waits for us, and we for them: what we know stays what there is.
_WRITING = "lock table {family} in row exclusive mode"

_CLEAR = """
    with keys as (
        select * from unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::integer[], $5::timestamptz[])
             as k(patient, kind, res, version, clinical)
    ), tokens as (
        delete from {prefix}index_token t using keys k
        where t.patient = k.patient and t.kind = k.kind and t.res = k.res and t.version = k.version
    ), dates as (
        delete from {prefix}index_date t using keys k
        where t.patient = k.patient and t.kind = k.kind and t.res = k.res and t.version = k.version
    ), identities as (
        delete from identity_token t using keys k where t.patient = k.patient and t.kind = k.kind and t.res = k.res
    )
    update {family} v set clinical = k.clinical from keys k
    where v.patient = k.patient and v.kind = k.kind and v.res = k.res and v.version = k.version
      and v.clinical <> k.clinical
"""


async def is_behind(one: asyncpg.Connection, generation: int) -> bool:
    """Whether some rows are older than `generation`, or a pass was left half way."""
    found = {family: await one.fetchrow(_STATE, family) for family in walking.FAMILIES}
    return any((row["done"] if row else 1) < generation or (row and row["towards"]) for row in found.values())


async def how_far(one: "asyncpg.Connection | asyncpg.Pool", generation: int) -> int | None:
    """How many records of a hundred the pass has gone over, rounded down; None where it has ended. One look at a small table, and
    only while it lasts a count of the records."""
    rows = {
        row["family"]: row for row in await one.fetch("select family, done, towards, after_patient from reindexing")
    }
    records = rows.get("version")
    if records is None or records["towards"] is not None or records["done"] < generation:
        place = records["after_patient"] if records is not None and records["towards"] == generation else None
        share: int = await one.fetchval(
            "select coalesce(100 * count(*) filter (where patient <= $1::bigint) / nullif(count(*), 0), 0) from patient",
            place,
        )
        return min(share, 99)
    directory = rows.get("directory_version")
    return 99 if directory is None or directory["towards"] is not None or directory["done"] < generation else None


async def nothing(_connection: asyncpg.Connection, _opened: Opened) -> None:
    """For those who keep nothing beside the index."""


async def reindex(
    database: Database,
    vault: Vault,
    index: Index,
    generation: int,
    progress: Progress,
    parameters: Parameters,
    beside: Beside = nothing,
) -> int:
    """Makes all index rows anew, or goes on with the pass towards this generation that was stopped. How many versions.

    `progress` gets their number after each batch. Raises Conflict when another pass is under way, Unavailable.
    """
    with reported():
        one = await connection(database.url)
        try:
            if not await one.fetchval("select pg_try_advisory_lock($1)", _LOCK):
                raise Conflict("Another pass over the index is under way.")
            count = 0
            for family in walking.FAMILIES:
                place = await _begun(one, family, generation)
                while place is not None:
                    place, done = await walking.in_one_go(
                        one, partial(_batch, one, vault, index, family, place, parameters, beside)
                    )
                    count += done
                    progress(count)
            return count
        finally:
            await one.close()


async def _begun(one: asyncpg.Connection, family: str, generation: int) -> Key | None:
    """Where the pass goes on; what is begun is written down, so that it is known to be half way."""
    row = await one.fetchrow(_STATE, family)
    if row is not None and row["towards"] == generation:
        return Key(row["after_patient"], row["after_kind"], row["after_res"])
    await one.execute(_KEEP, family, row["done"] if row else 1, generation, *walking.START)
    return walking.START


async def _batch(
    one: asyncpg.Connection,
    vault: Vault,
    index: Index,
    family: str,
    after: Key,
    parameters: Parameters,
    beside: Beside,
) -> tuple[Key | None, int]:
    """The place after this batch, None at the end of the family, and how many versions it had."""
    prefix = walking.FAMILIES[family]
    keys = await walking.keys_after(one, family, after)
    if not keys:
        await one.execute(
            "update reindexing set done = towards, towards = null, after_patient = null, after_kind = null,"
            " after_res = null where family = $1",
            family,
        )
        return None, 0
    await one.execute(_WRITING.format(family=family))
    custom = await parameters.refreshed_within(one)
    decode = ids.Ids(vault.id_key).decode
    versions: list[tuple[Any, ...]] = []
    new = IndexRows()
    opened = await walking.opened(one, vault, family, keys)
    for row, key, tree in opened:
        with custom.in_force():
            kept = index(type_of(row.key.kind), tree)
        if len(versions) % _BREATH == 0:
            await asyncio.sleep(0)
        versions.append((*row.key, row.version, kept.clinical))
        new.add(len(versions), vault, key, tree, kept, decode)
    places = columns(versions, index_rows.PLACE)
    await one.execute(_CLEAR.format(prefix=prefix, family=family), *places)
    inserts = (index_rows.BEGIN + index_rows.INSERTS).format(prefix=prefix)
    if not await one.fetchval(inserts, *places, *new.columns(), custom.revision):
        raise asyncpg.SerializationError("the search parameters changed under the lock")
    await referring.add(one, vault, new.references, versions)
    await beside(one, opened)
    await one.execute(
        "update reindexing set after_patient = $2, after_kind = $3, after_res = $4 where family = $1", family, *keys[-1]
    )
    return keys[-1], len(keys)
