"""The time by the database's clock, without asking it each time.

Rights begin and end by the database's clock, and so does all else that has an end: tokens, proofs, cursors, keys of a month,
the moments in the journal. The clock of a worker's machine may be wrong, or jump. So a process learns how far the
database's clock is from its own *monotonic* one, which nobody can set, and learns it anew every few seconds.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from math import inf
from typing import Final

from liaison.fhir.errors import Unavailable

EVERY: Final = 5.0
"""Seconds between two looks at the database's clock: it may be set too."""

ASKED: Final = 5
"""Questions of one look."""

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)

Ask = Callable[[], Awaitable[datetime]]
"""Gives clock_timestamp() of the database. Raises Unavailable where it cannot be reached."""


class Clock:
    """One a database that is open. Read at once, without waiting; off by half a quick round trip at most."""

    def __init__(self, ahead: float) -> None:
        """Use `of`."""
        self._ahead = ahead

    @classmethod
    async def of(cls, ask: Ask) -> "Clock":
        """Raises what `ask` raises: without the database's clock there is none."""
        return cls(await _ahead(ask))

    async def look(self, ask: Ask) -> None:
        self._ahead = await _ahead(ask)

    def seconds(self) -> float:
        """Since 1970, as JWTs have it (RFC 7519 §2, NumericDate)."""
        return time.monotonic() + self._ahead

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds(), UTC)

    async def keep(self, ask: Ask) -> None:
        """Looks again and again, until it is cancelled. While the database cannot be reached the monotonic clock goes on."""
        while True:
            await asyncio.sleep(EVERY)
            with contextlib.suppress(Unavailable):
                await self.look(ask)


async def _ahead(ask: Ask) -> float:
    """By the quickest of some answers: on a busy machine a slow one is off by much."""
    quickest, ahead = inf, 0.0
    for _ in range(ASKED):
        before = time.monotonic()
        moment = await ask()
        took = time.monotonic() - before
        if took < quickest:
            quickest, ahead = took, (moment - _BEGINNING).total_seconds() - before - took / 2
    return ahead
