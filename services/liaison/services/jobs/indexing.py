"""Indexes what is stored: anew, when an update keeps more of it than the one before did; by search parameters that an
administrator has added. Removes the rows of those that ended.

The internal principal `indexing` does it: each pass is journaled when it begins, or goes on after it was stopped, and when
it has ended. One worker at a time; the others stand by. Until the pass after an update has ended, a search by what is kept
anew does not find all (`liaison doctor` says so).
"""

import asyncio
from typing import Final, NoReturn

import asyncpg

from liaison.auth.access import internal
from liaison.auth.journal.acts import Act
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Event, entry
from liaison.fhir.definitions import SearchParameter
from liaison.fhir.errors import Conflict, Unavailable
from liaison.fhir.search.index import GENERATION, added_rows, has_rows, indexed
from liaison.fhir.store import Store, filling
from liaison.fhir.store.database import Connect
from liaison.fhir.store.reindex import is_behind, reindex
from liaison.fhir.store.turns import take_turns
from liaison.services.planned.keeping import keep_again

EVERY_SECONDS: Final = 1.0
STAND_BY_SECONDS: Final = 5.0
_LOCK: Final = 0x11A160  # one worker a database
_NEWS: Final = "select revision, exists (select from search_parameter where state = 2) from search_revision"
_AGAIN: Final = (
    Unavailable,
    Conflict,  # somebody has typed `liaison reindex`
)


async def keep_indexed(connect: Connect, store: Store, journal: Journal, every: float = EVERY_SECONDS) -> NoReturn:
    """Until cancelled, in one process at a time. Looks for work each second."""

    async def work(one: asyncpg.Connection) -> NoReturn:
        if await is_behind(one, GENERATION):
            await renew(one, store, journal)
        seen = -1
        while True:
            [[revision, ended]] = await one.fetch(_NEWS)
            if revision != seen or ended:
                seen = revision
                await _work(one, store, journal)
            await asyncio.sleep(every)

    await take_turns(connect, _LOCK, work, name="indexing", stand_by=STAND_BY_SECONDS, again=_AGAIN)


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
        detail = {"act": Act.INDEXED, "generation": GENERATION}
        await journal.record((entry(caller, Event.JOB, detail=detail),))
        count = await reindex(
            store.database, store.vault, indexed, GENERATION, lambda _: None, store.parameters, keep_again
        )
        await journal.record((entry(caller, Event.JOB, detail={**detail, "resources": count}),))
        return count
    finally:
        await internal.close_session(one, caller)


async def index(one: asyncpg.Connection, store: Store, journal: Journal, definition: SearchParameter) -> int:
    """Indexes what is stored by one parameter, or goes on with it. How many versions were looked at."""
    caller = await internal.open_session(one, "indexing")
    try:
        detail = {"act": Act.INDEXED, "parameter": definition.url}
        await journal.record((entry(caller, Event.JOB, detail=detail),))
        count = await filling.fill(one, store.vault, definition, added_rows if has_rows(definition) else None)
        await journal.record((entry(caller, Event.JOB, detail={**detail, "resources": count}),))
        return count
    finally:
        await internal.close_session(one, caller)
