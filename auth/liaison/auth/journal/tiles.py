"""The tree's hashes as stored: tiles of 256, laid out as https://c2sp.org/tlog-tiles.

Tile (level L, n) holds the nodes of tree level 8·L from 256·n on; every other node is computed from one tile.
The rightmost tile of each level is rewritten as it grows.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import asyncpg

from liaison.auth.journal.tree import Frontier, Node, Span, node_hash, nodes

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
HASH: Final = 32

_UPSERT: Final = """
insert into journal_tile (level, tile, hashes) select * from unnest($1::smallint[], $2::bigint[], $3::bytea[])
on conflict (level, tile) do update set hashes = excluded.hashes
"""
_FETCH: Final = """
select level, tile, hashes from journal_tile
where (level, tile) in (select * from unnest($1::smallint[], $2::bigint[]))
"""

Place = tuple[int, int]


def place(node: Node) -> tuple[Place, int, int]:
    """Where a node is computed from: the tile, the first hash in it, and how many."""
    tile_level, above = divmod(node.level, HEIGHT)
    first = node.number << above
    return (tile_level, first >> HEIGHT), first & (WIDTH - 1), 1 << above


def subtree(hashes: list[bytes]) -> bytes:
    """The root over a power of two of hashes."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]


def split(tile: bytes) -> list[bytes]:
    return [tile[i : i + HASH] for i in range(0, len(tile), HASH)]


class MissingTile(Exception):
    """A tile that the tree's size promises is not there, or is too short."""


async def fetch(connection: asyncpg.Connection, wanted: Iterable[Node]) -> Mapping[Node, bytes]:
    """The hashes of the nodes asked for; MissingTile when a tile does not hold them."""
    asked = list(wanted)
    places = sorted({place(node)[0] for node in asked})
    rows = await connection.fetch(_FETCH, [level for level, _ in places], [tile for _, tile in places])
    tiles = {(row["level"], row["tile"]): row["hashes"] for row in rows}
    found = {}
    for node in asked:
        where, first, count = place(node)
        hashes = split(tiles.get(where, b"")[first * HASH : (first + count) * HASH])
        if len(hashes) != count:
            raise MissingTile(f"tile {where[0]}/{where[1]}")
        found[node] = subtree(hashes)
    return found


async def frontier(connection: asyncpg.Connection, size: int) -> Frontier:
    """The frontier of the tree of this size."""
    complete = nodes(Span(0, size))
    found = await fetch(connection, complete)
    return Frontier(size, [found[node] for node in complete])


class Growing:
    """The rightmost tile of each level, in memory, and those changed since the last save."""

    def __init__(self, size: int) -> None:
        self._counts = [size]
        self._open: list[list[bytes]] = [[]]
        self._changed: dict[Place, bytes] = {}

    @classmethod
    async def load(cls, connection: asyncpg.Connection, size: int) -> "Growing":
        growing = cls(size)
        growing._counts, growing._open = [], []
        level, count = 0, size
        while count or level == 0:
            width = count & (WIDTH - 1)
            first = count - width
            wanted = [Node(level * HEIGHT, first + i) for i in range(width)]
            found = await fetch(connection, wanted) if wanted else {}
            growing._counts.append(count)
            growing._open.append([found[node] for node in wanted])
            level, count = level + 1, count >> HEIGHT
        return growing

    def append(self, hashed: bytes, level: int = 0) -> None:
        """Adds a leaf hash (or, inside, the root of a full tile) to its level."""
        if level == len(self._open):
            self._open.append([])
            self._counts.append(0)
        tile = self._counts[level] >> HEIGHT
        row = self._open[level]
        row.append(hashed)
        self._counts[level] += 1
        if len(row) == WIDTH:
            self._changed[level, tile] = b"".join(row)
            self._open[level] = []
            self.append(subtree(row), level + 1)

    def changed(self) -> dict[Place, bytes]:
        """Full tiles completed since the last save, and the growing ones."""
        found = dict(self._changed)
        for level, row in enumerate(self._open):
            if row:
                found[level, self._counts[level] >> HEIGHT] = b"".join(row)
        return found

    async def save(self, connection: asyncpg.Connection) -> None:
        changed = self.changed()
        places = sorted(changed)
        await connection.execute(
            _UPSERT, [level for level, _ in places], [tile for _, tile in places], [changed[one] for one in places]
        )
        self._changed = {}
