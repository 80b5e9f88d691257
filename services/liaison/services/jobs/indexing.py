"""Indexes what is stored: anew, when an update keeps more of it than the one before did; by search parameters that an
administrator has added. Removes the rows of those that ended.

The internal principal `indexing` does it: each pass is journaled when it begins, or goes on after it was stopped, and when
it has ended. One worker at a time; the others stand by. Until the pass after an update has ended, a search by what is kept
anew does not find all (`liaison doctor` says so).
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
from liaison.fhir.definitions import SearchParameter
from liaison.fhir.errors import Conflict, Unavailable
from liaison.fhir.search.index import GENERATION, added_rows, has_rows, indexed
from liaison.fhir.store import Store, filling
from liaison.fhir.store.reindex import is_behind, reindex

EVERY_SECONDS: Final = 1.0
STAND_BY_SECONDS: Final = 5.0
_LOCK: Final = 0x11A160  # one worker a database
_AGAIN: Final = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
    EOFError,
    Unavailable,
    Conflict,  # somebody has typed `liaison reindex`
)

log = structlog.get_logger()


async def keep_indexed(
    connect: Callable[[], Awaitable[asyncpg.Connection]], store: Store, journal: Journal, every: float = EVERY_SECONDS
) -> None:
    """Until cancelled. Waits for its turn, looks for work each second, and begins again after any failure."""
    while True:
        try:
            await _term(connect, store, journal, every)
        except _AGAIN as error:
            log.warning("indexing again later", kind=type(error).__name__)
            await asyncio.sleep(STAND_BY_SECONDS)


async def _term(
    connect: Callable[[], Awaitable[asyncpg.Connection]], store: Store, journal: Journal, every: float
) -> None:
    one = await connect()
    try:
        # The lock is another process's: there is no event here to wait on.
        while not await one.fetchval("select pg_try_advisory_lock($1)", _LOCK):  # noqa: ASYNC110  # see above
            await asyncio.sleep(STAND_BY_SECONDS)
        if await is_behind(one, GENERATION):
            await renew(one, store, journal)
        seen = -1
        while True:
            [[revision]] = await one.fetch("select revision from search_revision")
            ended = await one.fetchval("select exists (select from search_parameter where state = 2)")
            if revision != seen or ended:
                seen = revision
                await _work(one, store, journal)
            await asyncio.sleep(every)
    finally:
        with contextlib.suppress(Exception):
            await one.close(timeout=1)


async def _work(one: asyncpg.Connection, store: Store, journal: Journal) -> None:
    there = await filling.work(one, store.parameters)
    for definition in there.waiting:
        await index(one, store, journal, definition)
    for ended in there.ended:
        await filling.remove(one, ended)


async def renew(one: asyncpg.Connection, store: Store, journal: Journal) -> int:
    """Makes the index of what is stored anew, or goes on with it. How many versions were looked at."""
    caller = await internal.open_session(one, "indexing")
    try:
        detail = {"generation": GENERATION}
        await journal.record((entry(caller, Event.JOB, detail=detail),))
        count = await reindex(store.database, store.vault, indexed, GENERATION, lambda _: None, store.parameters)
        await journal.record((entry(caller, Event.JOB, detail={**detail, "resources": count}),))
        return count
    finally:
        await internal.close_session(one, caller)


async def index(one: asyncpg.Connection, store: Store, journal: Journal, definition: SearchParameter) -> int:
    """Indexes what is stored by one parameter, or goes on with it. How many versions were looked at."""
    caller = await internal.open_session(one, "indexing")
    try:
        detail = {"parameter": definition.url}
        await journal.record((entry(caller, Event.JOB, detail=detail),))
        count = await filling.fill(one, store.vault, definition, added_rows if has_rows(definition) else None)
        await journal.record((entry(caller, Event.JOB, detail={**detail, "resources": count}),))
        return count
    finally:
        await internal.close_session(one, caller)
