"""Locks on identities: rows, not session locks, so that they survive connection pooling and end with the transaction."""

from collections.abc import Iterable

import asyncpg

_MAKE = """
    insert into identity_lock (token) select * from unnest($1::bytea[]) as k(token) order by token
    on conflict do nothing
"""
_TAKE = "select 1 from identity_lock where token = any($1::bytea[]) order by token for update"


async def lock(connection: asyncpg.Connection, tokens: Iterable[bytes]) -> None:
    """Returns when this transaction alone holds every token. Always in sorted order, so that two never deadlock."""
    wanted = sorted(set(tokens))
    if not wanted:
        return
    made = await connection.execute(_MAKE, wanted)
    # A row just made is held by its maker; one that another transaction is making was waited for.
    if made != f"INSERT 0 {len(wanted)}":
        await connection.execute(_TAKE, wanted)
