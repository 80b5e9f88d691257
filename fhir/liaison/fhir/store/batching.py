"""Natural batching: what waits together shares one round trip, and the next batch leaves when the previous is back.

No timers: alone, an item waits for nobody.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST = 256
CROWD = 16
"""So many waiting items are worth a second round trip beside the one under way; fewer would only split it."""


class Batcher(Generic[Item, Result]):
    """Each of `runs` does one batch at a time: it gets the items and gives their results in order. What it raises, every
    waiter of the batch gets. The first is always used; the next ones only when a crowd is waiting."""

    def __init__(self, *runs: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]], most: int = MOST) -> None:
        self._runs = runs
        self._idle = list(reversed(range(len(runs))))  # the last one is taken first
        self._most = most
        self._items: list[Item] = []
        self._waiters: list[asyncio.Future[Result]] = []
        self._busy: set[asyncio.Task[None]] = set()

    def put(self, item: Item) -> "asyncio.Future[Result]":
        """The future result. Cancelling it withdraws nothing: the batch runs for the others."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Result] = loop.create_future()
        self._items.append(item)
        self._waiters.append(waiter)
        idle = self._idle
        if idle and (len(idle) == len(self._runs) or len(self._items) == CROWD):
            # The task starts after this turn of the loop, so that requests read together leave together.
            task = loop.create_task(self._drain(idle.pop()))
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)
        return waiter

    async def close(self) -> None:
        """Waits for what is under way."""
        while self._busy:
            await asyncio.wait(self._busy)

    async def _drain(self, lane: int) -> None:
        try:
            while self._items:
                most = self._most
                items, self._items = self._items[:most], self._items[most:]
                waiters, self._waiters = self._waiters[:most], self._waiters[most:]
                await _one(self._runs[lane], items, waiters)
        finally:
            self._idle.append(lane)
            self._idle.sort(reverse=True)
            if len(self._idle) == len(self._runs):
                # Only a cancelled loop gets here with waiters left; nobody would ever answer them.
                for waiter in self._waiters:
                    waiter.cancel()
                self._items, self._waiters = [], []


async def _one(
    run: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
    items: list[Item],
    waiters: "list[asyncio.Future[Result]]",
) -> None:
    try:
        results = await run(items)
    except Exception as error:  # noqa: BLE001  # each waiter of the batch raises it
        for waiter in waiters:
            if not waiter.done():
                waiter.set_exception(error)
        return
    except BaseException:
        for waiter in waiters:
            waiter.cancel()
        raise
    for waiter, result in zip(waiters, results, strict=True):
        if not waiter.done():
            waiter.set_result(result)
