"""The verdict of the last complete verification, kept so that a page can show it: reading a million entries takes longer
than one waits. It is sealed, so that whoever holds the database alone cannot write “whole”; an old one put back shows
by its date."""

from datetime import datetime
from typing import NamedTuple

import asyncpg
import orjson

from liaison.fhir.vault import NotAuthentic, Vault, context


class Told(NamedTuple):
    """What was found, over how many entries. `where` and `what` are '' when it was whole."""

    size: int
    root: str
    where: str
    what: str
    seconds: float


class Latest(NamedTuple):
    """`told` is None when nothing was verified yet, or what is kept is not what was written."""

    told: Told | None
    made_at: datetime | None
    asked_at: datetime | None

    @property
    def said_nothing(self) -> bool:
        """There is no verdict, or one over a journal that had no entry yet."""
        return self.told is None or not (self.told.size or self.told.where)

    @property
    def pending(self) -> bool:
        """Asked for, and not yet answered."""
        return self.asked_at is not None and (self.made_at is None or self.made_at < self.asked_at)


async def ask(connection: "asyncpg.Connection | asyncpg.Pool") -> None:
    """A worker begins a complete verification within seconds."""
    await connection.execute(
        "insert into journal_verdict (verdict, asked_at) values (0, clock_timestamp())"
        " on conflict (verdict) do update set asked_at = excluded.asked_at"
    )


async def keep(connection: asyncpg.Connection, vault: Vault, told: Told, begun: datetime) -> None:
    await connection.execute(
        "insert into journal_verdict (verdict, made_at, sealed) values (0, $1, $2)"
        " on conflict (verdict) do update set made_at = excluded.made_at, sealed = excluded.sealed",
        begun,
        vault.journal.seal(_context(begun), orjson.dumps(tuple(told))),
    )


async def latest(connection: "asyncpg.Connection | asyncpg.Pool", vault: Vault) -> Latest:
    row = await connection.fetchrow("select made_at, sealed, asked_at from journal_verdict where verdict = 0")
    if row is None:
        return Latest(None, None, None)
    try:
        told = (
            None
            if row["sealed"] is None
            else Told(*orjson.loads(vault.journal.open(_context(row["made_at"]), row["sealed"])))
        )
    except NotAuthentic:
        told = None
    return Latest(told, row["made_at"], row["asked_at"])


def _context(begun: datetime) -> bytes:
    return context("journal verdict", int(begun.timestamp() * 1_000_000))
