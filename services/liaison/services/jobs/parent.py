"""A worker does not outlive the process that supervises it: nobody would restart it, or stop it."""

import asyncio
import multiprocessing
import os
import signal
from typing import Final

EVERY_SECONDS: Final = 1.0


async def stop_with_parent(every: float = EVERY_SECONDS) -> None:
    """Ends this process, as SIGTERM would, once the process that supervises it is gone. Where there is none, waits for
    nothing. Not the parent that the kernel knows: workers are forked from a process beside their supervisor."""
    supervisor = multiprocessing.parent_process()
    if supervisor is None:
        return
    while supervisor.is_alive():  # noqa: ASYNC110  # the kernel tells this to who asks, and to nobody else
        await asyncio.sleep(every)
    os.kill(os.getpid(), signal.SIGTERM)
