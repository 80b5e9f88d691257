"""Removes what nothing can need any more: index rows of superseded versions, expired codes and sessions,
forms that were sent or kept, questions that no limit counts, keys that no telephone seals to any more, old checkpoints.

Nothing depends on it happening; a base that is never swept is only larger.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

import asyncpg
import structlog

from liaison.auth.access import asking_limits
from liaison.auth.journal import thinning
from liaison.auth.oauth2 import sweep as expired
from liaison.auth.people import kept_forms, sent_forms, visit_keys
from liaison.fhir.store import sweep as superseded

EVERY_SECONDS: Final = 600.0
_LOCK: Final = 0x11A15E  # one sweeper a database
_AGAIN: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, EOFError)

log = structlog.get_logger()


async def keep_swept(connect: Callable[[], Awaitable[asyncpg.Connection]], every: float = EVERY_SECONDS) -> None:
    """Until cancelled. Waits for its turn, sweeps from time to time, and begins again after any failure."""
    while True:
        try:
            await _term(connect, every)
        except _AGAIN as error:
            log.warning("sweeping again later", kind=type(error).__name__)
            await asyncio.sleep(every)


async def _term(connect: Callable[[], Awaitable[asyncpg.Connection]], every: float) -> None:
    connection = await connect()
    try:
        # The lock is another process's: there is no event here to wait on.
        while not await connection.fetchval("select pg_try_advisory_lock($1)", _LOCK):  # noqa: ASYNC110  # see above
            await asyncio.sleep(every)
        since: datetime | None = None
        while True:
            since = await superseded.sweep(connection, since)
            await expired.sweep(connection)
            await sent_forms.sweep(connection)
            await kept_forms.sweep(connection)
            await asking_limits.sweep(connection)
            await visit_keys.sweep(connection)
            await thinning.sweep(connection)
            await asyncio.sleep(every)
    finally:
        with contextlib.suppress(Exception):
            await connection.close(timeout=1)
