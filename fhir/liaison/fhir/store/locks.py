"""Locks on identities and on resources: rows, not session locks, so that they survive connection pooling, end with the
transaction, and are as many as a transaction needs.

Always identities before resources, and each of them in sorted order, so that two writers never deadlock: `lock`, then
`hold`. `wait` is for what spans several transactions, on a connection of its own that is closed afterwards.
"""

from collections.abc import Container, Iterable, Sequence
from itertools import groupby
from typing import Final

import asyncpg

from liaison.fhir.errors import Unavailable
from liaison.fhir.store.contract import Key

# Makes the row, or locks the one that is there: for this, the update that is never done is enough.
_TAKE = """
    insert into identity_lock (token) select * from unnest($1::bytea[]) as k(token) order by token
    on conflict (token) do update set token = excluded.token where false
"""
_MAKE = "insert into identity_lock (token) select * from unnest($1::bytea[]) as k(token) order by token on conflict do nothing"
_SHARE = "select from identity_lock where token = any($1::bytea[]) order by token for share"


async def make(connection: asyncpg.Connection, tokens: Iterable[bytes]) -> None:
    """Makes the rows of tokens that are to be shared, in a transaction of its own: until that ends, its maker alone has them."""
    if wanted := sorted(set(tokens)):
        await connection.execute(_MAKE, wanted)


async def lock(
    connection: asyncpg.Connection,
    tokens: Iterable[bytes],
    shared: Iterable[bytes] = (),
    made: Container[bytes] = (),
) -> None:
    """Returns when this transaction alone holds every token, and holds each of `shared` with none but those who share it.
    `made` have their rows by now (`make`), and are shared all by one statement."""
    alone = set(tokens)

    def way(token: bytes) -> tuple[bool, bool]:
        return token in alone, token in made

    for (own, there), some in groupby(sorted(alone.union(shared)), way):
        if own:
            await connection.execute(_TAKE, list(some))
        elif there:
            await connection.execute(_SHARE, list(some))
        else:
            for token in some:  # one after the other: a row just made is held by its maker
                await connection.execute(_MAKE, [token])
                await connection.execute(_SHARE, [token])


_AFTER_IDENTITIES: Final = b"\xff" * 16
_STRIPES: Final = 1 << 20
"""So many rows stand for all resources. Two that have one wait for each other without need, once in a million."""

_CURRENT: Final = """
    select v.patient, v.kind, v.res, v.version from {prefix}version v
    join unnest($1::bigint[], $2::smallint[], $3::bigint[]) as k(patient, kind, res) using (patient, kind, res)
    where v.superseded is null
"""
_CURRENTS: Final = {prefix: _CURRENT.format(prefix=prefix) for prefix in ("", "directory_")}


async def hold(connection: asyncpg.Connection, keys: Iterable[Key]) -> dict[Key, int]:
    """The current version of each of these resources, once nobody else changes any until this transaction ends. Readers
    wait for nobody."""
    wanted = set(keys)
    stripes = {key.res % _STRIPES for key in wanted}
    await connection.execute(_TAKE, sorted(_AFTER_IDENTITIES + one.to_bytes(3, "big") for one in stripes))
    # In a statement of its own: what one sees was committed before it began, and that of the lock has waited.
    found: dict[Key, int] = {}
    for prefix in ("", "directory_"):
        if some := [key for key in wanted if bool(key.patient) is not bool(prefix)]:
            for *key, version in await connection.fetch(_CURRENTS[prefix], *_columns(some)):
                found[Key(*key)] = version
    return found


def _columns(keys: Sequence[Key]) -> list[list[int]]:
    return [list(column) for column in zip(*keys, strict=True)]


WAIT_SECONDS: Final = 15


async def wait(connection: asyncpg.Connection, tokens: Iterable[bytes]) -> None:
    """Returns when this session alone has waited for each token, until it ends. Raises Unavailable after a while."""
    await connection.execute(f"set lock_timeout = '{WAIT_SECONDS}s'")
    try:
        for token in sorted(set(tokens)):
            await connection.execute("select pg_advisory_lock($1)", int.from_bytes(token[:8], "big", signed=True))
    except asyncpg.LockNotAvailableError:
        raise Unavailable("Others are asking the same at this moment. Try again.") from None
