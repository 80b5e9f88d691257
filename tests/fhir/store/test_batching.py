import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from liaison.fhir.store.batching import Batcher


def recorder(batches: list[list[int]], seconds: float = 0.01) -> Callable[[Sequence[int]], Awaitable[list[int]]]:
    async def run(items: Sequence[int]) -> list[int]:
        batches.append(list(items))
        await asyncio.sleep(seconds)
        return [-item for item in items]

    return run


async def test_alone_an_item_leaves_at_once_and_those_that_wait_share_the_next_batch() -> None:
    batches: list[list[int]] = []
    batcher: Batcher[int, int] = Batcher(recorder(batches))

    first = batcher.put(0)
    await asyncio.sleep(0)
    rest = [batcher.put(n) for n in range(1, 9)]

    assert await asyncio.gather(first, *rest) == [-n for n in range(9)]
    assert batches == [[0], list(range(1, 9))]


async def test_what_arrives_in_one_turn_of_the_loop_leaves_together() -> None:
    batches: list[list[int]] = []
    batcher: Batcher[int, int] = Batcher(recorder(batches))

    await asyncio.gather(*(batcher.put(n) for n in range(32)))

    assert [len(batch) for batch in batches] == [32]


async def test_a_batch_is_bounded() -> None:
    batches: list[list[int]] = []
    batcher: Batcher[int, int] = Batcher(recorder(batches), most=4)

    await asyncio.gather(*(batcher.put(n) for n in range(10)))

    assert [len(batch) for batch in batches] == [4, 4, 2]


async def test_the_batch_under_way_is_waited_for_and_not_the_next() -> None:
    batches: list[list[int]] = []
    gone_on: list[int] = []
    batcher: Batcher[int, int] = Batcher(recorder(batches))

    async def asking(item: int) -> None:
        gone_on.append(await batcher.put(item))

    first = asyncio.create_task(asking(1))
    while not batches:
        await asyncio.sleep(0)
    second = asyncio.create_task(asking(2))
    await batcher.back(60)

    assert gone_on == [-1]  # whoever waited for it has had a turn, and the next batch is on its way
    await asyncio.gather(first, second)
    assert batches == [[1], [2]]


async def test_nothing_under_way_is_not_waited_for() -> None:
    batcher: Batcher[int, int] = Batcher(recorder([]))
    await batcher.put(1)

    waiting = asyncio.create_task(batcher.back(60))
    await asyncio.sleep(0)

    assert waiting.done()


async def test_a_batch_that_does_not_come_back_is_waited_for_a_while() -> None:
    batcher: Batcher[int, int] = Batcher(recorder([], 60))
    waiting = batcher.put(1)
    await asyncio.sleep(0)

    await batcher.back(0.01)

    assert not waiting.done()


async def test_a_batch_that_failed_is_back() -> None:
    async def run(_items: Sequence[int]) -> list[int]:
        raise ValueError

    batcher: Batcher[int, int] = Batcher(run)
    with pytest.raises(ValueError):
        await batcher.put(1)

    await batcher.back(60)


async def test_a_failure_reaches_every_waiter_of_its_batch_and_no_other() -> None:
    async def run(items: Sequence[int]) -> list[int]:
        if 1 in items:
            raise ValueError("planted")
        return list(items)

    batcher: Batcher[int, int] = Batcher(run, most=2)

    found = await asyncio.gather(*(batcher.put(n) for n in range(4)), return_exceptions=True)

    assert [type(one) for one in found] == [ValueError, ValueError, int, int]


async def test_a_waiter_that_left_does_not_disturb_the_others() -> None:
    batcher: Batcher[int, int] = Batcher(recorder([]))
    leaving, staying = batcher.put(1), batcher.put(2)
    leaving.cancel()

    assert await staying == -2
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await batcher.close()
