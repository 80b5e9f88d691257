"""How long what the journal says can be read: months whose time is over lose their key. Entries and proofs stay.

What remains of such a month is what stands in clear: when, what kind of act, and the numbers of patient, person and
organisation (docs/implementation/journal.md). A backup made before holds the key until it is deleted itself.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.journal.keys import SEAL
from liaison.auth.journal.statistics import month

YEARS: Final = 10
"""Unless `liaison init` was told another period."""
_DUE: Final = """
select k.generation, (select count(*) from journal_entry e where e.generation = k.generation) as entries
from journal_key k where k.purpose = 'seal' and k.generation < $1 order by 1
"""


_EARLIEST_KEPT: Final = "select min(generation) from journal_key where purpose = 'seal'"
_OLDER: Final = "select exists (select from journal_entry where at < $1 and generation < $2)"


class Due(NamedTuple):
    """A month whose key is to be destroyed: its name (2016-10), its number, and how many entries it seals."""

    month: str
    generation: int
    entries: int


async def due(connection: asyncpg.Connection, now: datetime, years: int) -> list[Due]:
    """Months that ended more than `years` years ago, the oldest first."""
    rows = await connection.fetch(_DUE, (now.year - years) * 100 + now.month)
    return [Due(month(row["generation"]), *row) for row in rows]


async def destroy(connection: asyncpg.Connection, months: Sequence[Due]) -> None:
    """Within the caller's transaction, which writes the entry of it."""
    await connection.execute(
        "delete from journal_key where purpose = $1 and generation = any($2::int[])",
        SEAL,
        [one.generation for one in months],
    )


async def readable_since(base: "asyncpg.Connection | asyncpg.Pool") -> date | None:
    """From which day on entries can be read; None while no key was destroyed. Whoever shows the journal says it: that nothing is
    found before that day does not mean that nobody was there."""
    first: int | None = await base.fetchval(_EARLIEST_KEPT)
    if first is None:
        return None
    day = date(first // 100, first % 100, 1)
    begins = datetime(day.year, day.month, 1, tzinfo=UTC)  # months of keys are those of UTC
    return day if await base.fetchval(_OLDER, begins, first) else None
