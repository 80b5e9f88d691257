"""What can be said of the journal at once, however long it is: the last checkpoint is signed, it is that of the stored tree,
and the tree begins with what was kept elsewhere. Entries are not read: `verify` does that."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg

from liaison.auth.journal import tiles
from liaison.auth.journal.checkpoint import Checkpoint, NotSigned, Verifier
from liaison.auth.journal.live import handovers
from liaison.auth.journal.succession import Succession
from liaison.auth.journal.verify import Broken


class Glance(NamedTuple):
    """The last checkpoint, when it was signed, and the last of those kept elsewhere."""

    at: Checkpoint | None
    signed_at: datetime | None
    held: Checkpoint | None


async def glance(connection: asyncpg.Connection, key: Verifier, held_elsewhere: Sequence[str] = ()) -> Glance:
    """Raises Broken at the first checkpoint that is not one of this tree. Use within one snapshot."""
    row = await connection.fetchrow("select size, note, made_at from journal_checkpoint order by size desc limit 1")
    size = await connection.fetchval("select size from journal_head where head = 0") or 0
    if row is None:
        if size or held_elsewhere:
            raise Broken("checkpoints", "there is none, though some were signed")
        return Glance(None, None, None)
    found = []
    try:
        trusted = Succession(key, [*await handovers(connection), *held_elsewhere])
        for note in (row["note"], *held_elsewhere):
            found.append(trusted.open(note))
            if found[-1].size > size or (await tiles.frontier(connection, found[-1].size)).root() != found[-1].root:
                raise Broken(f"checkpoint of size {found[-1].size}", "it is not one of the tree that is stored")
    except (NotSigned, tiles.MissingTile) as error:
        raise Broken(f"checkpoint of size {row['size']}", str(error)) from None
    return Glance(found[0], row["made_at"], max(found[1:], key=lambda one: one.size, default=None))
