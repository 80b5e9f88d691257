"""Looks at what has come into records whose plans have signals, and each hour at what stays away (liaison.services.signals).

New measures are found by their moment, up to the horizon before which all is there (liaison.fhir.store.horizon): none is
passed over, and what was cut short is looked at again. One worker at a time; the others stand by.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NoReturn

import asyncpg
import structlog

from liaison.auth.access import internal
from liaison.fhir.errors import FhirError, Unavailable
from liaison.fhir.store.contract import Key
from liaison.fhir.store.database import Connect
from liaison.fhir.store.horizon import horizon
from liaison.fhir.store.snapshot import SNAPSHOT
from liaison.fhir.store.turns import take_turns
from liaison.services.engine import Engine
from liaison.services.library.published import in_force
from liaison.services.pages.record import Record
from liaison.services.signals import adoption, telling, watching
from liaison.services.signals.watching import Progress

EVERY_SECONDS: Final = 0.5
STAND_BY_SECONDS: Final = 5.0
TOGETHER: Final = 50
"""Records that are read by one search."""
AWAY_EVERY: Final = timedelta(hours=1)
_LOCK: Final = 0x11A174  # one worker a database
_NEVER: Final = datetime.min.replace(tzinfo=UTC)

log = structlog.get_logger()


async def keep_signalling(connect: Connect, engine: Engine, every: float = EVERY_SECONDS) -> NoReturn:
    """Until cancelled, in one process at a time."""

    async def work(one: asyncpg.Connection) -> NoReturn:
        rest = Rest()
        while True:
            await signal(one, engine, rest)
            await asyncio.sleep(every)

    await take_turns(connect, _LOCK, work, name="signals", stand_by=STAND_BY_SECONDS, again=(FhirError,))


@dataclass(slots=True)
class Rest:
    """The base as it was when all in it had been looked at, and when it is next asked what stays away."""

    snapshot: str = ""
    ends_at: datetime = _NEVER


async def signal(one: asyncpg.Connection, engine: Engine, rest: Rest | None = None) -> int:
    """One pass: how many records were looked at. How far it went is kept once something was found on the way; until then
    the next one may begin where this one did. While the base is as it was at `rest`, one question says so."""
    rest = rest or Rest()
    store, now = engine.store, engine.store.database.clock.now()
    [[seen, at]] = await one.fetch(f"select {SNAPSHOT}, clock_timestamp()")
    if seen == rest.snapshot and now < rest.ends_at:
        return 0
    done = await watching.progress(one, now)
    until = await horizon(store.lanes)
    new = await watching.published_since(one, done.asked_at)
    if new:
        await watching.catch_up(one)
    away = new or now - done.asked_at >= AWAY_EVERY
    patients = await watching.everybody(one) if away else await watching.changed(one, done.until, until)
    if patients:
        await _look(one, engine, patients, until, away=away)
    if patients or away:
        await watching.gone(one, Progress(max(until, done.until), now if away else done.asked_at))
    # Moments are given before a commit: all that `seen` shows is from before `at`. Until the horizon is past that, another
    # transaction holds it back, and something of `seen` is yet to be looked at.
    rest.snapshot, rest.ends_at = seen if until > at else "", (now if away else done.asked_at) + AWAY_EVERY
    return len(patients)


async def _look(
    one: asyncpg.Connection, engine: Engine, patients: Sequence[Key], until: datetime, *, away: bool
) -> None:
    """A record that cannot be looked at does not keep the others from it: it is counted, and seen at the next measure."""
    library = await in_force(one, engine.store.vault)
    known, on = adoption.known(library), await adoption.in_use(one, engine.store.vault)
    caller = await internal.open_session(engine.store.database.writing, "protocols", timedelta(minutes=30))

    async def look(some: Sequence[Key]) -> int:
        """How many of these could not be looked at: once some could not together, each is alone."""
        named = {engine.store.reference(patient): patient for patient in some}
        try:
            now = engine.store.database.clock.now()
            watched = await telling.look(record, list(named), known, on, now, away=away)
            for reference, patient in named.items():
                if reference not in watched:
                    await watching.forget(one, patient, until)
        except Unavailable:
            raise
        except FhirError as error:
            if len(some) > 1:
                return sum([await look([patient]) for patient in some])
            log.warning("a record was not looked at", kind=type(error).__name__)
            return 1
        return 0

    try:
        record = Record(engine, caller)
        failed = sum([await look(patients[at : at + TOGETHER]) for at in range(0, len(patients), TOGETHER)])
    finally:
        await internal.close_session(engine.store.database.writing, caller)
    if failed:
        log.warning("records were not looked at by their signals", count=failed)
