"""Computes the grants of every record again when a table of rules has come into force, or an update has brought another; and
its classes, when an update has brought another classification.

The internal principal `rebuild` does it: it is journaled when the pass begins, or goes on after it was stopped, for each
record of which something has other classes, and when it has ended. One worker at a time; the others stand by.
"""

import asyncio
from typing import Final, NoReturn

import asyncpg

from liaison.auth.access import adopted, internal, regranting
from liaison.auth.access.table import BadTable
from liaison.auth.journal.acts import Act
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Event, entry
from liaison.fhir.errors import Unavailable
from liaison.fhir.store.database import Connect
from liaison.fhir.store.turns import take_turns
from liaison.fhir.vault import Vault

EVERY_SECONDS: Final = 1.0
STAND_BY_SECONDS: Final = 5.0
_AGAIN: Final = (
    Unavailable,
    BadTable,  # said at the start of the service and by the doctor; the base may be mended meanwhile
)


async def keep_regranted(connect: Connect, vault: Vault, journal: Journal, every: float = EVERY_SECONDS) -> NoReturn:
    """Until cancelled, in one process at a time. Looks for work each second."""

    async def work(one: asyncpg.Connection) -> NoReturn:
        while True:
            if not (await adopted.current(one)).settled:
                await regrant(one, vault, journal)
            await asyncio.sleep(every)

    await take_turns(connect, regranting.LOCK, work, name="regranting", stand_by=STAND_BY_SECONDS, again=_AGAIN)


async def regrant(
    one: asyncpg.Connection,
    vault: Vault,
    journal: Journal,
    progress: regranting.Progress = lambda _: None,
) -> int:
    """Carries the pass to its end, or goes on with it. How many records were computed. `one` holds regranting.LOCK."""
    caller = await internal.open_session(one, "rebuild")
    try:
        detail = {"act": Act.RECORDS_GRANTED, "rules": (await adopted.current(one)).number}
        await journal.record((entry(caller, Event.JOB, detail=detail),))

        async def told(connection: asyncpg.Connection, patient: int, versions: int) -> None:
            other = entry(caller, Event.JOB, patient=patient, detail={"act": Act.RELABELLED, "reclassified": versions})
            await journal.record_within(connection, (other,))

        count = await regranting.carry(one, vault, progress, told)
        await journal.record((entry(caller, Event.JOB, detail={**detail, "records": count}),))
        return count
    finally:
        await internal.close_session(one, caller)
