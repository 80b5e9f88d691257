"""Verifies the whole journal once a day, and when an auditor asks: the verdict is kept for the page and for `doctor`.

One worker at a time. It reads entries in small pieces between its requests; what is found broken is logged, and stands on
the page until a later verification finds the journal whole.
"""

import asyncio
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, NoReturn

import asyncpg
import structlog

from liaison.auth.journal import verdicts
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.journal.live import Live
from liaison.auth.journal.verdicts import Told
from liaison.auth.journal.verify import Broken, verify
from liaison.fhir.store.database import Connect
from liaison.fhir.store.turns import take_turns
from liaison.fhir.vault import Vault
from liaison.services.custody import outside

EVERY_SECONDS: Final = 2.0
STAND_BY_SECONDS: Final = 5.0
OLDEST: Final = timedelta(days=1)
_LOCK: Final = 0x11A162  # one worker a database
log = structlog.get_logger()


async def keep_verified(
    connect: Connect, vault: Vault, keys: JournalKeys, kept: Path, every: float = EVERY_SECONDS
) -> NoReturn:
    """Until cancelled, in one process at a time. `kept` is the folder outside, whose checkpoint the journal must contain."""

    async def work(one: asyncpg.Connection) -> NoReturn:
        while True:
            known = await verdicts.latest(one, vault)
            now: datetime = await one.fetchval("select clock_timestamp()")
            if known.said_nothing or known.made_at is None or known.pending or known.made_at < now - OLDEST:
                await once(one, vault, keys, kept)
            await asyncio.sleep(every)

    await take_turns(connect, _LOCK, work, name="verifying the journal", stand_by=STAND_BY_SECONDS)


async def once(one: asyncpg.Connection, vault: Vault, keys: JournalKeys, kept: Path) -> Told:
    """Verifies everything now and keeps the verdict."""
    begun: datetime = await one.fetchval("select clock_timestamp()")
    since = time.monotonic()
    held = outside.checkpoints(kept)
    size, root, where, what = 0, "", "", ""
    async with one.transaction(isolation="repeatable_read", readonly=True):
        try:
            found = await verify(Live(one), keys.signer.verifier, keys, held)
            size, root = (found.at.size, found.at.root.hex()) if found.at else (0, "")
            if found.lost:
                log.error("keys of the journal are gone, and no entry says so", months=found.lost)
        except Broken as broken:
            where, what = broken.where, broken.what
            log.error("the journal is broken", where=where, what=what)  # where it is, is all there is to say
    told = Told(size, root, where, what, round(time.monotonic() - since, 1))
    await verdicts.keep(one, vault, told, begun)
    return told
