"""A few connections kept for searches: no reset between two statements, each statement planned once and kept.

The planner is told to walk indexes in their order. It cannot know how many rows the access filter lets through, guesses
next to none, and would otherwise read and sort a whole record for the first twenty rows of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import asyncpg

from liaison.fhir.store.database import Database, connection
from liaison.fhir.store.faults import is_unavailable, reported

LANES: Final = 6
_STATEMENTS: Final = 1_000

PLANNING: Final = (
    "set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set enable_bitmapscan = off;"
    " set enable_sort = off; set enable_hashjoin = off; set enable_mergejoin = off"
)
"""What a lane is told when it is opened. The benchmark asks for plans as they are made here."""


async def _planned(lane: asyncpg.Connection, text: str, arguments: Sequence[Any]) -> list[Any]:
    await lane.execute("set plan_cache_mode = force_custom_plan")
    try:
        return await lane.fetch(text, *arguments)  # type: ignore[no-any-return]  # asyncpg has no types
    finally:
        if not lane.is_closed():
            await lane.execute("set plan_cache_mode = force_generic_plan")


class Lanes:
    """Runs reading statements, at most LANES at once; others wait. A lane that breaks is replaced."""

    def __init__(self, database: Database, lanes: int = LANES) -> None:
        self._url = database.url
        self._lanes = lanes
        self._idle: list[asyncpg.Connection | None] = [None] * lanes
        self._free = asyncio.Semaphore(lanes)

    async def fetch(self, text: str, *arguments: Any) -> list[Any]:
        """The rows of one statement. Unavailable when the database cannot be reached, now and at a second attempt."""
        return await self._on_a_lane(lambda lane: lane.fetch(text, *arguments))

    async def fetch_planned(self, text: str, *arguments: Any) -> list[Any]:
        """The same, planned for these arguments: for what reads so many rows that planning is little beside it.

        The plan that is kept knows no length of an array, and takes it for ten. What it does not expect to meet twice,
        such as the verdict on rows of one record, it does not remember.
        """
        return await self._on_a_lane(lambda lane: _planned(lane, text, arguments))

    async def _on_a_lane(self, run: Callable[[asyncpg.Connection], Awaitable[list[Any]]]) -> list[Any]:
        async with self._free:
            lane = self._idle.pop()  # the one used last: its statements are the warmest
            try:
                with reported():
                    if lane is None or lane.is_closed():
                        lane = await self._open()
                    try:
                        return await run(lane)
                    except Exception as error:
                        if not is_unavailable(error):
                            raise
                        # The server may have been restarted since: reading twice harms nobody.
                        lane.terminate()
                        lane = None
                        lane = await self._open()
                        return await run(lane)
            except asyncio.CancelledError:
                # The statement may still be running: nobody else gets this connection.
                if lane is not None:
                    lane.terminate()
                    lane = None
                raise
            finally:
                self._idle.append(lane)

    async def close(self) -> None:
        """Waits for what is running, which whoever asked may have left to itself, and ends the connections."""
        for _ in range(self._lanes):
            await self._free.acquire()
        for lane in self._idle:
            if lane is not None:
                await lane.close()
        self._idle = [None] * self._lanes
        for _ in range(self._lanes):
            self._free.release()

    async def _open(self) -> asyncpg.Connection:
        lane = await connection(self._url, statement_cache_size=_STATEMENTS, max_cached_statement_lifetime=0)
        await lane.execute(PLANNING)
        return lane
