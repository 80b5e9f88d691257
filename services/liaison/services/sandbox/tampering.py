"""Shows a visitor what the journal's proofs are worth: one line is changed, removed or put in another's place, as somebody with
every right on the database could, and `verify` names it. What was there is kept in the folder, and put back.

For a sandbox alone: who calls this has checked that it is one.
"""

import json
from enum import StrEnum
from pathlib import Path
from typing import Final

import asyncpg

FILE: Final = "tampered.json"
_AT: Final = "(select worker, sequence from journal_position where position = $1)"
_KEPT: Final = f"select row_to_json(e) from journal_entry e where (e.worker, e.sequence) = {_AT}"
_BACK: Final = """
insert into journal_entry select * from json_populate_record(null::journal_entry, $1::json)
on conflict (worker, sequence) do update set at = excluded.at
"""


class How(StrEnum):
    """What is done to a line."""

    CHANGE = "change"
    DELETE = "delete"
    SWAP = "swap"
    UNDO = "undo"


class NotTampered(Exception):
    """It cannot be done. Says why."""


def read(folder: Path) -> dict[str, object]:
    """What was done, {} when nothing was, or it was put back."""
    path = folder / FILE
    found: dict[str, object] = json.loads(path.read_text()) if path.exists() else {}
    return found


async def tamper(connection: asyncpg.Connection, folder: Path, how: How, position: int | None) -> int:
    """Does it to the line at `position`, or to one in the middle; which one. Raises NotTampered."""
    if read(folder):
        raise NotTampered("A line was tampered with already. Put it back first: liaison sandbox tamper undo")
    size = await connection.fetchval("select count(*) from journal_position")
    at = size // 2 if position is None else position
    if not 0 <= at < size - (how is How.SWAP):
        raise NotTampered(f"The journal has lines 0 to {size - 1 - (how is How.SWAP)} for that.")
    async with connection.transaction():
        kept = await connection.fetchval(_KEPT, at)
        # On disk before the line is touched: what was there is never lost.
        (folder / FILE).write_text(json.dumps({"how": how, "position": at, "row": kept}))
        match how:
            case How.CHANGE:
                await connection.execute(
                    f"update journal_entry set at = at - interval '1 hour' where (worker, sequence) = {_AT}", at
                )
            case How.DELETE:
                await connection.execute(f"delete from journal_entry where (worker, sequence) = {_AT}", at)
            case _:
                await _swap(connection, at)
    return int(at)


async def undo(connection: asyncpg.Connection, folder: Path) -> int:
    """Puts the line back as it was; which one. Raises NotTampered when there is nothing to put back."""
    done = read(folder)
    if not done:
        raise NotTampered("Nothing was tampered with.")
    at = int(str(done["position"]))
    async with connection.transaction():
        if done["how"] == How.SWAP:
            await _swap(connection, at)
        else:
            await connection.execute(_BACK, done["row"])
    (folder / FILE).unlink()
    return at


async def _swap(connection: asyncpg.Connection, at: int) -> None:
    await connection.execute("update journal_position set position = -1 where position = $1", at)
    await connection.execute("update journal_position set position = $1 where position = $1 + 1", at)
    await connection.execute("update journal_position set position = $1 + 1 where position = -1", at)
