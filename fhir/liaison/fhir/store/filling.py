"""What was stored before a search parameter was added, indexed by it; and the rows of one that has ended, removed.

Both go on while others read and write. A pass takes the current versions of the parameter's types in the order of their
keys. Each batch is a transaction that also writes down how far the pass has come: one that is stopped, or killed, goes
on from there. What is written meanwhile is indexed by its writer (liaison.fhir.store.parameters); a batch makes the rows
of its versions anew, so that none is there twice.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import asyncpg

from liaison.fhir.definitions import RESOURCE_TYPES, Custom, SearchParameter, kind_of, type_of
from liaison.fhir.store import ids, index_rows, parameters, referring, walking
from liaison.fhir.store.contract import Indexed, Key, Tree
from liaison.fhir.store.index_rows import IndexRows, columns
from liaison.fhir.vault import Vault

RowsOf = Callable[[str, Tree, SearchParameter], Indexed]
"""The rows of one parameter alone: liaison.fhir.search.index.added_rows is it."""

_STATE = "select state, family, after_patient, after_kind, after_res from search_parameter where number = $1 for update"

_MADE = """
    with keys as (
        select * from unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::integer[]) as k(patient, kind, res, version)
    ), gone as (
        delete from {prefix}index_token t using keys k
        where t.patient = k.patient and t.kind = k.kind and t.param = $6 and t.res = k.res and t.version = k.version
    )
    insert into {prefix}index_token (patient, kind, param, token, res, version, clinical)
    select ($1::bigint[])[n], ($2::smallint[])[n], param, token, ($3::bigint[])[n], ($4::integer[])[n],
           ($5::timestamptz[])[n]
    from unnest($7::integer[], $8::smallint[], $9::bigint[]) as k(n, param, token)
"""

_KEEP = """
    update search_parameter set family = $2, after_patient = $3, after_kind = $4, after_res = $5 where number = $1
"""

_REMOVED = """
    delete from {prefix}index_token t using unnest($1::bigint[], $2::smallint[]) as k(patient, kind)
    where t.patient = k.patient and t.kind = k.kind and t.param = $3
"""


class Work(NamedTuple):
    """What there is to do: parameters by which the base is to be indexed, and numbers whose rows are to be removed."""

    waiting: Sequence[SearchParameter]
    ended: Sequence[parameters.Kept]


async def work(one: asyncpg.Connection, known: parameters.Parameters) -> Work:
    """Of this moment."""
    _, kept = await known.loaded(one, parameters.ENDED)
    now = await one.fetchval("select now()")
    return Work(
        [each.definition for each in kept if each.state == parameters.WAITING],
        [each for each in kept if each.state == parameters.ENDED and now - each.since > parameters.KEPT],
    )


async def fill(one: asyncpg.Connection, vault: Vault, definition: SearchParameter, rows_of: RowsOf | None) -> int:
    """Indexes everything that is stored, or goes on with it; one can then search by the parameter. How many versions.

    `rows_of` None: a parameter that has no rows, whose values are looked at when one searches.
    """
    kinds = sorted(kind_of(one) for one in parameters.types_of(definition))
    count = 0
    while rows_of is not None:
        done = await walking.in_one_go(one, lambda: _batch(one, vault, definition, kinds, rows_of))
        if done is None:
            break
        count += done
        await asyncio.sleep(0)
    async with one.transaction():
        await parameters.ready(one, definition.number)
    return count


async def remove(one: asyncpg.Connection, ended: parameters.Kept) -> None:
    """Removes the rows of a parameter that has ended, and then the parameter: its number is free again."""
    number = ended.definition.number
    kinds = sorted(kind_of(one) for one in ended.types & RESOURCE_TYPES)
    await one.execute(_REMOVED.format(prefix="directory_"), [0] * len(kinds), kinds, number)
    last: int | None = None
    while True:
        patients = await one.fetch(
            "select patient from patient where $1::bigint is null or patient > $1 order by patient limit $2",
            last,
            max(1, 20_000 // max(1, len(kinds))),
        )
        if not patients:
            break
        pairs = [(patient, kind) for (patient,) in patients for kind in kinds]
        await one.execute(_REMOVED.format(prefix=""), *columns(pairs, 2), number)
        last = patients[-1][0]
    await one.execute("delete from search_parameter where number = $1 and state = $2", number, parameters.ENDED)


async def _batch(
    one: asyncpg.Connection, vault: Vault, definition: SearchParameter, kinds: Sequence[int], rows_of: RowsOf
) -> int | None:
    """How many versions were looked at; None at the end, or when the parameter is waited for no more."""
    state = await one.fetchrow(_STATE, definition.number)
    if state is None or state["state"] != parameters.WAITING:
        return None
    families = list(walking.FAMILIES)
    family = state["family"] or families[0]
    after = walking.START if state["family"] is None else Key(*state[2:5])
    keys = await walking.keys_after(one, family, after, kinds)
    if not keys:
        if family == families[-1]:
            return None
        await one.execute(_KEEP, definition.number, families[-1], *walking.START)
        return 0
    await _index(one, vault, definition, rows_of, family, keys)
    await one.execute(_KEEP, definition.number, family, *keys[-1])
    return len(keys)


async def _index(
    one: asyncpg.Connection,
    vault: Vault,
    definition: SearchParameter,
    rows_of: RowsOf,
    family: str,
    keys: Sequence[Key],
) -> None:
    decode = ids.Ids(vault.id_key).decode
    versions: list[tuple[Any, ...]] = []
    new = IndexRows()
    with Custom(waiting=(definition,)).in_force():
        for row, key, tree in await walking.opened(one, vault, family, keys):
            kept = rows_of(type_of(row.key.kind), tree, definition)
            versions.append((*row.key, row.version, kept.clinical))
            new.add_tokens(len(versions), key, kept, decode)
    places = columns(versions, index_rows.PLACE)
    tokens = columns(new.tokens, 3)
    await one.execute(_MADE.format(prefix=walking.FAMILIES[family]), *places, definition.number, *tokens)
    await referring.add(one, vault, new.references, versions)
