"""What was published here, and the library in force: that, and of the shipped one what was not published yet.

The content is sealed under the territory's key, with its url and version: a row that was edited does not open.
"""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

import asyncpg
import orjson

from liaison.fhir.vault import Vault, context
from liaison.protocols.library import Library, shipped
from liaison.protocols.library.pinning import pinned
from liaison.protocols.library.source import Source, Tree

_KEPT: Final[dict[str, Library]] = {}
"""Libraries by what all of their rows say: the content is the name, so one read in another base is no other one."""
_MOST_KEPT: Final = 8


class Publication(NamedTuple):
    """That something was published, and by whom."""

    canonical: str
    published_by: str
    at: str


def bound_to(url: str, version: str) -> bytes:
    return context("published definition", url, version)


async def published(connection: "asyncpg.Connection | asyncpg.Pool", vault: Vault) -> Library:
    """All that was published here, every version. Raises NotAuthentic for a row that was changed by hand."""
    state = await connection.fetchval(
        "select md5(string_agg(digest, '' order by at, url, version)) from published_definition"
    )
    if state is None:
        return Library(())
    if state not in _KEPT:
        rows = await connection.fetch(
            "select url, version, sealed, at from published_definition order by at, url, version"
        )
        while len(_KEPT) >= _MOST_KEPT:
            del _KEPT[next(iter(_KEPT))]
        _KEPT[state] = _as_they_came(vault, rows)
    return _KEPT[state]


def _as_they_came(vault: Vault, rows: Sequence[asyncpg.Record]) -> Library:
    """What was published before versions were written down with it names what was out when it was: what came with it, or before."""
    found: list[Source] = []
    for _at, together in groupby(rows, key=lambda row: row["at"]):
        came = Library(tuple(_source(vault, row) for row in together))
        found += (pinned(one, came, Library(tuple(found)), shipped()) for one in came)
    return Library(tuple(found))


async def in_force(connection: "asyncpg.Connection | asyncpg.Pool", vault: Vault) -> Library:
    """What plans are made by and measures are counted by: of each canonical, what was published, else what is shipped."""
    found = await published(connection, vault)
    return found.beside(shipped()) if found.sources else shipped()


async def publications(connection: "asyncpg.Connection | asyncpg.Pool") -> list[Publication]:
    """In the order in which they were published."""
    rows = await connection.fetch(
        "select url || '|' || version, published_by, at::date::text as day from published_definition order by at, url, version"
    )
    return [Publication(*row) for row in rows]


def _source(vault: Vault, row: asyncpg.Record) -> Source:
    tree: Tree = orjson.loads(vault.territory.open(bound_to(row["url"], row["version"]), row["sealed"]))
    return Source(Path("base"), tree, {"": 0})
