"""Ends the plans of people who have died, and frees the places in sessions that were given up, by a death or otherwise
(liaison.services.deaths). One worker at a time; the others stand by.

The note that somebody's plans are to be looked at stands from the transaction that says of the death until all of them are ended:
a pass that was cut short is simply repeated.
"""

import asyncio
from typing import Final, NoReturn

import asyncpg
import structlog

from liaison.fhir.errors import FhirError, Unavailable
from liaison.fhir.store.database import Connect
from liaison.fhir.store.turns import take_turns
from liaison.services.deaths import ending, freeing, noting
from liaison.services.engine import Engine

EVERY_SECONDS: Final = 0.5
STAND_BY_SECONDS: Final = 5.0
_LOCK: Final = 0x11A177  # one worker a database

log = structlog.get_logger()


async def keep_ended(connect: Connect, engine: Engine, every: float = EVERY_SECONDS) -> NoReturn:
    """Until cancelled, in one process at a time."""

    async def work(one: asyncpg.Connection) -> NoReturn:
        while True:
            await end_plans(one, engine)
            await asyncio.sleep(every)

    await take_turns(connect, _LOCK, work, name="ended plans", stand_by=STAND_BY_SECONDS, again=(FhirError,))


async def end_plans(one: asyncpg.Connection, engine: Engine) -> int:
    """One pass: how many plans were ended. A record that cannot be looked at does not keep the others from it."""
    ended = 0
    for note in await noting.noted(one):
        try:
            for person in await noting.people_of(one, note.patient):
                ended += await ending.end(engine, person)
                await freeing.free(engine, person)
            await noting.settled(one, note)
        except Unavailable:
            raise
        except FhirError as error:
            await noting.put_off(one, note)
            log.warning("plans were not ended", kind=type(error).__name__)
        except Exception:  # one that nobody foresaw keeps no other from it
            await noting.put_off(one, note)
            log.exception("plans were not ended")
    return ended
