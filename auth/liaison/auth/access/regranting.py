"""After a table of rules has come into force: the grants of every patient computed by it, while the service serves.

One patient a transaction, which also writes down how far the pass has come: one that is stopped, or killed, goes on from
there. Until its turn a record keeps the grants of the table before, unless a fact of it changes: whoever computes grants
goes by the new table. A record opened meanwhile is granted by the new table from the start. One pass at a time: whoever
carries it holds `LOCK` for the connection.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.access import adopted, grants
from liaison.auth.access.adopted import Asks
from liaison.fhir.store import walking
from liaison.fhir.vault import Vault

LOCK: Final = 0x11A161  # one pass at a time on a database
BATCH: Final = 500


class Pass(NamedTuple):
    """How far it is. `total` counts the records when it began."""

    done: int
    total: int


Progress = Callable[[Pass], None]


async def under_way(base: Asks) -> Pass | None:
    """None when every grant is of the table in force."""
    if (await adopted.current(base)).settled:
        return None
    [[done, total]] = await base.fetch("select coalesce(done, 0), coalesce(total, 0) from regranting")
    return Pass(done, total)


async def begin(connection: asyncpg.Connection, digest: str) -> None:
    """In the transaction by which the table comes into force."""
    await connection.execute(
        "update regranting set towards = $1, after_patient = $2, done = 0,"
        " total = (select count(*) from patient where state = 0)",
        digest,
        walking.START.patient,
    )


async def carry(one: asyncpg.Connection, vault: Vault, progress: Progress = lambda _: None) -> int:
    """Until every grant is of the table in force, also where another comes into force meanwhile. Returns the number of
    records that this call computed. `one` holds LOCK, and is in no transaction."""
    count = 0
    while not (now := await adopted.current(one)).settled:
        if await one.fetchval("select towards is distinct from $1 from regranting", now.digest):
            async with one.transaction():  # an update has brought another packaged table
                await begin(one, now.digest)
        patients = [row[0] for row in await one.fetch(_NEXT, BATCH)]
        if not patients:
            await one.execute(_DONE, now.digest)
        for patient in patients:
            place = await walking.in_one_go(one, partial(_regrant, one, vault, patient, now.digest))
            if place is None:
                break
            progress(place)
            count += 1
    return count


_NEXT: Final = """
    select p.patient from patient p, regranting r where p.state = 0 and p.patient > r.after_patient
    order by p.patient limit $1
"""
_DONE: Final = """
    update regranting set granted = towards, towards = null, after_patient = null, done = null, total = null
    where towards = $1
"""


async def _regrant(one: asyncpg.Connection, vault: Vault, patient: int, digest: str) -> Pass | None:
    """None, and nothing done, when another table has come into force."""
    await grants.lock(one, [patient])
    if (await adopted.current(one)).digest != digest:
        return None
    await grants.recompute(one, vault, [patient])
    return Pass(
        *await one.fetchrow("update regranting set after_patient = $1, done = done + 1 returning done, total", patient)
    )
