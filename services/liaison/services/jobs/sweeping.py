"""Removes what nothing can need any more: index rows of superseded versions, expired codes and sessions,
forms that were sent or kept, questions that no limit counts, keys that no telephone seals to any more, old checkpoints.

Nothing depends on it happening; a base that is never swept is only larger.
"""

import asyncio
from datetime import datetime
from typing import Final, NoReturn

import asyncpg

from liaison.auth import sessions
from liaison.auth.access import asking_limits
from liaison.auth.journal import thinning
from liaison.auth.oauth2 import sweep as expired
from liaison.auth.people import kept_forms, sent_forms, visit_keys
from liaison.fhir.store import sweep as superseded
from liaison.fhir.store.database import Connect
from liaison.fhir.store.turns import take_turns

EVERY_SECONDS: Final = 600.0
_LOCK: Final = 0x11A15E  # one sweeper a database


async def keep_swept(connect: Connect, every: float = EVERY_SECONDS) -> NoReturn:
    """Until cancelled, in one process at a time. Sweeps from time to time."""

    async def work(one: asyncpg.Connection) -> NoReturn:
        since: datetime | None = None
        while True:
            since = await superseded.sweep(one, since)
            await expired.sweep(one)
            await sessions.sweep(one)
            await sent_forms.sweep(one)
            await kept_forms.sweep(one)
            await asking_limits.sweep(one)
            await visit_keys.sweep(one)
            await thinning.sweep(one)
            await asyncio.sleep(every)

    await take_turns(connect, _LOCK, work, name="sweeping", stand_by=every)
