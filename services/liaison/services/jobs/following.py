"""Follows the alerts that changed (liaison.services.messages.following). One worker at a time; the others stand by."""

import asyncio
from datetime import timedelta
from typing import Final, NoReturn

import asyncpg
import structlog

from liaison.auth.access import internal
from liaison.fhir.errors import FhirError, Unavailable
from liaison.fhir.store.database import Connect
from liaison.fhir.store.turns import take_turns
from liaison.services.engine import Engine
from liaison.services.messages import following
from liaison.services.pages.record import Record

EVERY_SECONDS: Final = 0.5
STAND_BY_SECONDS: Final = 5.0
NONE: Final[frozenset[str]] = frozenset()
_LOCK: Final = 0x11A175  # one worker a database

log = structlog.get_logger()


async def keep_followed(
    connect: Connect, engine: Engine, channels: frozenset[str], every: float = EVERY_SECONDS
) -> NoReturn:
    """Until cancelled, in one process at a time."""

    async def work(one: asyncpg.Connection) -> NoReturn:
        while True:
            await follow(one, engine, channels)
            await asyncio.sleep(every)

    await take_turns(connect, _LOCK, work, name="alerts", stand_by=STAND_BY_SECONDS, again=(FhirError,))


async def follow(one: asyncpg.Connection, engine: Engine, channels: frozenset[str] = NONE) -> int:
    """One pass: how many alerts were looked at. `channels`: by which messages may go. One that cannot be followed now does not keep the others from it."""
    waiting = await following.changed(one)
    if not waiting:
        return 0
    caller = await internal.open_session(engine.store.database.writing, "protocols", timedelta(minutes=30))
    try:
        record = Record(engine, caller)
        for alert in waiting:
            try:
                await following.follow(one, record, engine.store, alert.key, channels)
                await following.done(one, alert)
            except Unavailable:
                raise
            except FhirError as error:
                await following.put_off(one, alert)
                log.warning("an alert was not followed", kind=type(error).__name__)
            except Exception:  # one that nobody foresaw keeps no other from being told
                await following.put_off(one, alert)
                log.exception("an alert was not followed")
    finally:
        await internal.close_session(engine.store.database.writing, caller)
    return len(waiting)
