"""Gives every entry its position in the tree, and signs a checkpoint, at most a second after it became durable.

One process integrates at a time. Each holds a connection of its own and tries a session lock; the one that gets it
raises the fence in journal_head and integrates only while the fence is still its own, so that a process that lost its
connection unawares, and woke again, changes nothing.

Commit order is not sequence order: what is integrated is decided by transaction ids. Every entry of a transaction
older than `settled` has its position; the next pass looks at the others that are visible, and moves `settled` up to
the oldest transaction still running in its own snapshot.
"""

import asyncio
import contextlib
import os
from pathlib import Path
from typing import Final, NoReturn

import asyncpg

from liaison.auth.journal import tiles
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.journal.sealing import LEAF_SQL
from liaison.auth.journal.succession import hand_over
from liaison.auth.journal.tree import Frontier
from liaison.fhir.store.database import Connect
from liaison.fhir.store.turns import take_turns

LOCK: Final = 0x11A1507  # one integrator a database
MOST: Final = 10_000
EVERY_SECONDS: Final = 0.4
STAND_BY_SECONDS: Final = 1.0

_TAKE: Final = """
insert into journal_head as h (head, fence, size, settled) values (0, 1, 0, '0'::xid8)
on conflict (head) do update set fence = h.fence + 1 returning fence, size
"""
_MINE: Final = "select size from journal_head where head = 0 and fence = $1 for update"
_UNPLACED: Final = """
    from journal_entry e
    where e.written >= (select settled from journal_head where head = 0)
      and not exists (select from journal_position p where p.worker = e.worker and p.sequence = e.sequence)
"""
_LOOK: Final = f"select size, exists (select {_UNPLACED}) from journal_head where head = 0 and fence = $1"
_WAITING: Final = f"""
with seen as materialized (
    select pg_snapshot_xmin(pg_current_snapshot()) as horizon
), waiting as (
    select e.written, e.worker, e.sequence, {LEAF_SQL} as leaf
    {_UNPLACED}
    order by e.written, e.worker, abs(e.sequence)
    limit $1
)
select worker, sequence, leaf, written::text as written, (select horizon::text from seen) as horizon
from waiting order by waiting.written, worker, abs(sequence)
"""
_PLACE: Final = """
insert into journal_position (position, worker, sequence)
select $1 + n - 1, worker, sequence
from unnest($2::bigint[], $3::bigint[]) with ordinality as t(worker, sequence, n)
"""
_MOVE: Final = (
    "update journal_head set size = $2, settled = greatest(settled, $3::text::xid8) where head = 0 and fence = $1"
)
_SIGN: Final = "insert into journal_checkpoint (size, note) values ($1, $2)"


class Fenced(Exception):
    """Another process integrates now."""


class Integrator:
    """Runs in every worker; at most one is active. `outside` is a file that receives each checkpoint: kept out of the
    database, it shows that the whole journal was cut back together with its checkpoints."""

    def __init__(self, keys: JournalKeys, outside: Path | None = None) -> None:
        self._keys, self._outside = keys, outside
        self._fence = 0
        self._frontier = Frontier()
        self._growing = tiles.Growing(0)
        self.active = False

    async def run(self, connect: Connect) -> NoReturn:
        """Until cancelled, in one process at a time."""

        async def work(one: asyncpg.Connection) -> NoReturn:
            await self.take(one)
            self.active = True
            try:
                while True:
                    if await self.integrate(one) < MOST:
                        await asyncio.sleep(EVERY_SECONDS)
            finally:
                self.active = False

        name = "integrating the journal"
        await take_turns(connect, LOCK, work, name=name, stand_by=STAND_BY_SECONDS, again=(Fenced,))

    async def take(self, connection: asyncpg.Connection) -> None:
        """Raises the fence: from here on no other integrator changes anything."""
        self._fence, size = await connection.fetchrow(_TAKE)
        self._frontier = await tiles.frontier(connection, size)
        self._growing = await tiles.Growing.load(connection, size)

    async def integrate(self, connection: asyncpg.Connection) -> int:
        """One pass: positions, tiles, head and checkpoint in one transaction. How many entries; Fenced if not ours.
        One that finds nothing locks nothing: the lock of a row is written to disk, and most passes find nothing."""
        try:
            if not await self._any(connection):
                return 0
            async with connection.transaction():
                note, count = await self._pass(connection)
        except BaseException:
            self._fence = 0  # What is in memory may be ahead of the base: take() reads it again.
            raise
        if note and self._outside is not None:
            _publish(self._outside, note)
        return count

    async def _any(self, connection: asyncpg.Connection) -> bool:
        size, waiting = await connection.fetchrow(_LOOK, self._fence) or (None, False)
        self._check(size)
        return bool(waiting)

    def _check(self, size: int | None) -> None:
        """Raises Fenced where the head is another's, or was moved by hand."""
        if size is None or size != self._frontier.size:
            raise Fenced

    async def _pass(self, connection: asyncpg.Connection) -> tuple[str, int]:
        self._check(await connection.fetchval(_MINE, self._fence))
        size = self._frontier.size
        rows = await connection.fetch(_WAITING, MOST)
        if not rows:
            return "", 0
        for row in rows:
            self._frontier.append(row["leaf"])
            self._growing.append(row["leaf"])
        await connection.execute(_PLACE, size, [row["worker"] for row in rows], [row["sequence"] for row in rows])
        await self._growing.save(connection)
        settled = rows[-1]["written"] if len(rows) == MOST else rows[0]["horizon"]
        settled = str(min(int(settled), int(rows[0]["horizon"])))
        size = self._frontier.size
        await connection.execute(_MOVE, self._fence, size, settled)
        signer, following = await self._keys.signers(connection)
        if following is None:
            note = signer.checkpoint(size, self._frontier.root())
        else:
            note = hand_over(signer, following, size, self._frontier.root())
            await self._keys.handed_over(connection)
        await connection.execute(_SIGN, size, note)
        return note, len(rows)


def _publish(path: Path, note: str) -> None:
    """Replaces the file in one step. Not synced: it is a copy, a few seconds old at worst after a power cut."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}")
        part.write_text(note)
        part.replace(path)
