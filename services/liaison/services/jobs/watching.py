"""Looks through what is new in the journal by the rules of unusual access that are on (liaison.auth.unusual).

The internal principal `unusual` does it: a pass that found something is an entry of the journal, with how many. One worker at
a time; the others stand by.
"""

import asyncio
from typing import Final, NoReturn

import asyncpg

from liaison.auth.access import internal
from liaison.auth.journal.acts import Act
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Event, entry
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.unusual import accesses, watching
from liaison.fhir.errors import FhirError
from liaison.fhir.store import Store
from liaison.fhir.store.database import Connect
from liaison.fhir.store.turns import take_turns

EVERY_SECONDS: Final = 10.0
STAND_BY_SECONDS: Final = 15.0
_LOCK: Final = 0x11A171  # one worker a database


async def keep_watching(
    connect: Connect,
    store: Store,
    journal: Journal,
    keys: JournalKeys,
    base_url: str,
    every: float = EVERY_SECONDS,
) -> NoReturn:
    """Until cancelled, in one process at a time. Looks from time to time."""

    async def work(one: asyncpg.Connection) -> NoReturn:
        while True:
            while await watch(one, store, journal, keys, base_url):
                pass
            await asyncio.sleep(every)

    name = "looking for unusual accesses"
    await take_turns(connect, _LOCK, work, name=name, stand_by=STAND_BY_SECONDS, again=(FhirError,))


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
                told = entry(caller, Event.JOB, detail={"act": Act.UNUSUAL_SEARCHED, "found": new})
                await journal.record_within(one, (told,))
    finally:
        await internal.close_session(one, caller)
    return done.more
