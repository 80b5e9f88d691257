"""Removes what no cursor can need any more. Nothing depends on it: a search joins index rows to living versions anyway.

Index rows of a superseded version stay for an hour, as long as the cursors that may page over it; then they go. Bodies
of old versions stay for good: they are the history.
"""

from datetime import datetime, timedelta
from typing import Final

import asyncpg

AFTER: Final = timedelta(hours=1, minutes=5)
"""A cursor lives one hour (liaison.fhir.search.page); a version may be committed a little after its own `at`."""

_INDEXES: Final = (
    ("version", "index_token"),
    ("version", "index_date"),
    ("directory_version", "directory_index_token"),
    ("directory_version", "directory_index_date"),
)

# Whatever superseded a version is the next one, so its `at` says when. The partial index on it holds updates only.
_SUPERSEDED = """
    delete from {index} t using {versions} n
    where n.version > 1 and n.at >= $1 and n.at < $2
      and t.patient = n.patient and t.kind = n.kind and t.res = n.res and t.version < n.version
"""


async def sweep(connection: asyncpg.Connection, since: datetime | None = None, after: timedelta = AFTER) -> datetime:
    """Sweeps what was superseded between `since` (None: ever) and `after` ago. Gives the `since` of the next sweep."""
    until: datetime = await connection.fetchval("select now() - $1::interval", after)
    for versions, index in _INDEXES:
        await connection.execute(_SUPERSEDED.format(versions=versions, index=index), since or datetime.min, until)
    await connection.execute("delete from search_list where made_at < $1", until)
    return until
