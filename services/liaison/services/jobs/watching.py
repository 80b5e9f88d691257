"""Looks through what is new in the journal by the rules of unusual access that are on (liaison.auth.unusual).

The internal principal `unusual` does it: a pass that found something is an entry of the journal, with how many. One worker at
a time; the others stand by.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg
import structlog

from liaison.auth.access import internal
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Event, entry
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.unusual import accesses, watching
from liaison.fhir.errors import FhirError
from liaison.fhir.store import Store

EVERY_SECONDS: Final = 10.0
STAND_BY_SECONDS: Final = 15.0
_LOCK: Final = 0x11A171
_AGAIN: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, EOFError, FhirError)

log = structlog.get_logger()


async def keep_watching(
    connect: Callable[[], Awaitable[asyncpg.Connection]],
    store: Store,
    journal: Journal,
    keys: JournalKeys,
    base_url: str,
    every: float = EVERY_SECONDS,
) -> None:
    """Until cancelled. Waits for its turn, looks from time to time, and begins again after any failure."""
    while True:
        try:
            await _term(connect, store, journal, keys, base_url, every)
        except _AGAIN as error:
            log.warning("looking for unusual accesses again later", kind=type(error).__name__)
            await asyncio.sleep(STAND_BY_SECONDS)


async def _term(
    connect: Callable[[], Awaitable[asyncpg.Connection]],
    store: Store,
    journal: Journal,
    keys: JournalKeys,
    base_url: str,
    every: float,
) -> None:
    one = await connect()
    try:
        # The lock is another process's: there is no event here to wait on.
        while not await one.fetchval("select pg_try_advisory_lock($1)", _LOCK):  # noqa: ASYNC110  # see above
            await asyncio.sleep(STAND_BY_SECONDS)
        while True:
            while await watch(one, store, journal, keys, base_url):
                pass
            await asyncio.sleep(every)
    finally:
        with contextlib.suppress(Exception):
            await one.close(timeout=1)


async def watch(one: asyncpg.Connection, store: Store, journal: Journal, keys: JournalKeys, base_url: str) -> bool:
    """One pass: what it found, and how far it looked, in one transaction. Whether there is more."""
    done = await watching.passed(one, store, keys, base_url)
    if done is None:
        return False
    caller = await internal.open_session(one, "unusual")
    try:
        async with one.transaction():
            new = await accesses.keep(one, store.vault, done.findings)
            for choice, position in done.choices.items():
                await one.execute("update unusual_progress set position = $2 where choice = $1", choice, position)
            if new:
                told = entry(caller, Event.JOB, detail={"act": "unusual accesses", "found": new})
                await journal.record_within(one, (told,))
    finally:
        await internal.close_session(one, caller)
    return done.more
