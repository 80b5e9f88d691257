"""Natural batching: what waits together shares one round trip, and the next batch leaves when the previous is back.

No timers: alone, an item waits for nobody.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST = 256


class Batcher(Generic[Item, Result]):
    """`run` does one batch at a time: it gets the items and gives their results in order. What it raises, every waiter of
    the batch gets."""

    def __init__(self, run: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]], *, most: int = MOST) -> None:
        self._run = run
        self._most = most
        self._items: list[Item] = []
        self._waiters: list[asyncio.Future[Result]] = []
        self._draining: asyncio.Task[None] | None = None
        self._back = asyncio.Event()
        self._back.set()

    def put(self, item: Item) -> "asyncio.Future[Result]":
        """The future result. Cancelling it withdraws nothing: the batch runs for the others."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Result] = loop.create_future()
        self._items.append(item)
        self._waiters.append(waiter)
        if self._draining is None:
            # The task starts after this turn of the loop, so that requests read together leave together.
            self._draining = loop.create_task(self._drain())
        return waiter

    async def back(self, within: float) -> None:
        """Returns when the batch under way is back, or after so many seconds: at once when there is none. Its waiters have
        gone on by then; what waits for the next batch is not waited for."""
        if not self._back.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await self._back.wait()

    async def close(self) -> None:
        """Waits for what is under way."""
        while self._draining is not None:
            await asyncio.wait([self._draining])

    async def _drain(self) -> None:
        try:
            while self._items:
                most = self._most
                items, self._items = self._items[:most], self._items[most:]
                waiters, self._waiters = self._waiters[:most], self._waiters[most:]
                self._back.clear()
                try:
                    await _one(self._run, items, waiters)
                finally:
                    self._back.set()
        finally:
            self._draining = None
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
