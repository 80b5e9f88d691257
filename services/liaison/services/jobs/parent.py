"""A worker does not outlive the process that supervises it: nobody would restart it, or stop it."""

import asyncio
import os
import signal
from typing import Final

EVERY_SECONDS: Final = 1.0


async def stop_with_parent(parent: int, every: float = EVERY_SECONDS) -> None:
    """Ends this process, as SIGTERM would, once `parent` is no longer the parent."""
    while os.getppid() == parent:  # noqa: ASYNC110  # the kernel tells this to who asks, and to nobody else
        await asyncio.sleep(every)
    os.kill(os.getpid(), signal.SIGTERM)
