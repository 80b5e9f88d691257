"""Work that one process at a time does on a database, until it is stopped, while the others stand by: the service's jobs.

The turn is a session lock of PostgreSQL. It ends with the connection that holds it, so a process that died does not keep
it; one that lost its connection unawares may still be at work for a moment when another begins.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import NoReturn

import asyncpg
import structlog

from liaison.fhir.store import faults
from liaison.fhir.store.database import Connect

log = structlog.get_logger()

Work = Callable[[asyncpg.Connection], Awaitable[NoReturn]]
"""Goes on until it fails. The connection is its own, and in no transaction."""


async def take_turns(
    connect: Connect,
    lock: int,
    work: Work,
    *,
    name: str,
    stand_by: float,
    again: tuple[type[Exception], ...] = (),
) -> NoReturn:
    """Until cancelled. Waits for its turn, asking each `stand_by` seconds, and works.

    When the database, or a file, is out of reach, or by an error of `again`, says so under `name`, and begins again as
    long after. Any other error is a bug, and is raised.
    """
    while True:
        try:
            await _turn(connect, lock, work, stand_by)
        except (*faults.LOST, *again) as error:
            log.warning("a job begins again later", job=name, kind=type(error).__name__)
            await asyncio.sleep(stand_by)


async def _turn(connect: Connect, lock: int, work: Work, stand_by: float) -> NoReturn:
    one = await connect()
    try:
        while not await one.fetchval("select pg_try_advisory_lock($1)", lock):  # noqa: ASYNC110  # another process holds it: there is no event here to wait on
            await asyncio.sleep(stand_by)
        await work(one)
    finally:
        with contextlib.suppress(Exception):
            await one.close(timeout=1)
