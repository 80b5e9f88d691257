import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from liaison.fhir.store.batching import CROWD, Batcher


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

    await asyncio.gather(*(batcher.put(n) for n in range(CROWD * 2)))

    assert [len(batch) for batch in batches] == [CROWD * 2]


async def test_a_batch_is_bounded() -> None:
    batches: list[list[int]] = []
    batcher: Batcher[int, int] = Batcher(recorder(batches), most=4)

    await asyncio.gather(*(batcher.put(n) for n in range(10)))

    assert [len(batch) for batch in batches] == [4, 4, 2]


async def test_a_second_lane_serves_a_crowd_and_nobody_else() -> None:
    first: list[list[int]] = []
    second: list[list[int]] = []
    batcher: Batcher[int, int] = Batcher(recorder(first, 0.05), recorder(second, 0.05))

    waiting = [batcher.put(0)]
    await asyncio.sleep(0)
    waiting += [batcher.put(n) for n in range(1, CROWD)]
    await asyncio.sleep(0)
    assert not second
    waiting.append(batcher.put(CROWD))
    await asyncio.sleep(0)
    assert second == [list(range(1, CROWD + 1))]

    assert await asyncio.gather(*waiting) == [-n for n in range(CROWD + 1)]
    again = batcher.put(99)
    assert await again == -99 and first[-1] == [99]


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
