"""Reading and validating ahead of the store, in another process: the two take about as long, and share no data."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from liaison.services import memory
from liaison.services.loading.sources import Group, Part, read_part

WORTH_BYTES: Final = 2_000_000
"""Below this, starting a process costs more than it saves."""

AHEAD: Final = 3


def is_worth_it(files: list[Path]) -> bool:
    return sum(file.stat().st_size * (8 if file.suffix == ".gz" else 1) for file in files) > WORTH_BYTES


def read_ahead(parts: Iterator[Part]) -> Iterator[Group]:
    """The groups in the order of their parts; at most a few are read before they are asked for."""
    # Spawned, not forked: this process has threads and open connections.
    with ProcessPoolExecutor(1, get_context("spawn"), memory.settle) as pool:
        waiting: deque[Future[Group]] = deque()
        for part in parts:
            waiting.append(pool.submit(read_part, part))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
