"""Locks on identities: rows, not session locks, so that they survive connection pooling and end with the transaction.

`wait` is for what spans several transactions, on a connection of its own that is closed afterwards.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import Final

import asyncpg

from liaison.fhir.errors import Unavailable

_MAKE = """
    insert into identity_lock (token) select * from unnest($1::bytea[]) as k(token) order by token
    on conflict do nothing
"""
_TAKE = "select 1 from identity_lock where token = any($1::bytea[]) order by token for update"
_SHARE = "select 1 from identity_lock where token = any($1::bytea[]) order by token for share"


async def lock(connection: asyncpg.Connection, tokens: Iterable[bytes], shared: Iterable[bytes] = ()) -> None:
    """Returns when this transaction alone holds every token, and holds each of `shared` with none but those who share it.
    Always in sorted order, so that two never deadlock."""
    alone = set(tokens)
    wanted = sorted(alone.union(shared))
    if not wanted:
        return
    made = await connection.execute(_MAKE, wanted)
    # A row just made is held by its maker; one that another transaction is making was waited for.
    if made != f"INSERT 0 {len(wanted)}":
        for own, some in groupby(wanted, alone.__contains__):
            await connection.execute(_TAKE if own else _SHARE, list(some))


WAIT_SECONDS: Final = 15


async def wait(connection: asyncpg.Connection, tokens: Iterable[bytes]) -> None:
    """Returns when this session alone has waited for each token, until it ends. Raises Unavailable after a while."""
    await connection.execute(f"set lock_timeout = '{WAIT_SECONDS}s'")
    try:
        for token in sorted(set(tokens)):
            await connection.execute("select pg_advisory_lock($1)", int.from_bytes(token[:8], "big", signed=True))
    except asyncpg.LockNotAvailableError:
        raise Unavailable("Others are asking the same at this moment. Try again.") from None
