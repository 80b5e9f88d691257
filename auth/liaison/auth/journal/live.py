"""The journal as it stands in the base, read in one snapshot."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

import asyncpg

from liaison.auth.journal.sealing import COLUMNS, Record
from liaison.auth.journal.tiles import Place

_ENTRY: Final = ", ".join(f"e.{column}" for column in COLUMNS)
_PLACED: Final = f"""
select p.position, {_ENTRY} from journal_position p
left join journal_entry e on e.worker = p.worker and e.sequence = p.sequence order by p.position
"""
_WAITING: Final = f"""
select {_ENTRY} from journal_entry e
where not exists (select from journal_position p where p.worker = e.worker and p.sequence = e.sequence)
order by e.written, e.worker, abs(e.sequence)
"""
_HANDOVERS: Final = (
    "select note from journal_checkpoint where position(chr(10) || 'next-key ' in note) > 0 order by size"
)


async def handovers(connection: "asyncpg.Connection | asyncpg.Pool") -> list[str]:
    """The checkpoints that changed the signing key, for a Succession."""
    return [row["note"] for row in await connection.fetch(_HANDOVERS)]


class Live:
    """Satisfies verify.Source. Use inside a repeatable-read transaction, or entries added meanwhile look foreign."""

    is_copy: Final = False

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def placed(self) -> AsyncIterator[tuple[int, Record | None]]:
        async for row in self._connection.cursor(_PLACED, prefetch=2000):
            yield row[0], None if row[1] is None else Record(*row[1:])

    async def waiting(self) -> AsyncIterator[Record]:
        async for row in self._connection.cursor(_WAITING, prefetch=2000):
            yield Record(*row)

    async def checkpoints(self) -> Sequence[tuple[int, str]]:
        rows = await self._connection.fetch("select size, note from journal_checkpoint order by size")
        return [(row["size"], row["note"]) for row in rows]

    async def head(self) -> int | None:
        size: int | None = await self._connection.fetchval("select size from journal_head where head = 0")
        return size

    async def tiles(self) -> dict[Place, bytes] | None:
        rows = await self._connection.fetch("select level, tile, hashes from journal_tile")
        return {(row["level"], row["tile"]): row["hashes"] for row in rows}
