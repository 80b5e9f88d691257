"""What can be seen of a base now, by its name: whoever looks again and again asks first whether anything else can be.

Two snapshots of one name see the same rows. What writes has a number, and until it has ended it is beyond the snapshot's
upper bound or on its list; when it ends, one of them changes.

Limits: nothing is said of what depends on the time, or lies outside the base. The server's other bases change it too.
"""

from typing import Final

import asyncpg

SNAPSHOT: Final = "pg_current_snapshot()::text"
"""In a statement outside of a transaction that keeps its snapshot."""


async def snapshot(connection: asyncpg.Connection) -> str:
    """Asked before one looks: what is committed in between is then looked at twice, and never passed over."""
    found: str = await connection.fetchval(f"select {SNAPSHOT}")
    return found
