"""After a table of rules has come into force: the grants of every patient computed by it, while the service serves. After an
update has brought another classification: the classes of every resource first (access.reclassifying), then its facts.

One patient a transaction, which also writes down how far the pass has come: one that is stopped, or killed, goes on from
there. Until its turn a record keeps what both tables give (access.narrowing), unless a fact of it changes: whoever computes grants
goes by the new table. A record opened meanwhile is granted by the new table from the start. One pass at a time: whoever
carries it holds `LOCK` for the connection. Until its turn a record also keeps the classes that it had; what is written
meanwhile has those of the version that writes it, so an update replaces every worker.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.access import adopted, classify, grants, reclassifying
from liaison.auth.access.adopted import Asks, Current
from liaison.auth.access.rebuild import rebuild_directory, rebuild_patient
from liaison.fhir.store import walking
from liaison.fhir.vault import Vault

LOCK: Final = 0x11A161  # one pass at a time on a database
BATCH: Final = 500
LONGEST_WAIT: Final = 300.0
"""Seconds: a backup's transaction is longer than any write's, and writes nothing."""
_LOOK_EVERY: Final = 0.05


class Pass(NamedTuple):
    """How far it is. `total` counts the records when it began."""

    done: int
    total: int


Progress = Callable[[Pass], None]
Told = Callable[[asyncpg.Connection, int, int], Awaitable[None]]
"""In the transaction that did it: of this patient, so many versions have other classes now."""


async def _to_nobody(_connection: asyncpg.Connection, _patient: int, _versions: int) -> None: ...


async def under_way(base: Asks) -> Pass | None:
    """None when every grant is of the table in force, and every class of this version's classification."""
    if (await adopted.current(base)).settled:
        return None
    [[done, total]] = await base.fetch("select coalesce(done, 0), coalesce(total, 0) from regranting")
    return Pass(done, total)


async def begin(connection: asyncpg.Connection, goal: str) -> None:
    """In the transaction by which the table comes into force. `goal`: that of adopted.Current."""
    await connection.execute(
        "update regranting set towards = $1, after_patient = $2, done = 0,"
        " total = (select count(*) from patient where state = 0)",
        goal,
        walking.START.patient,
    )


async def _let_end(one: asyncpg.Connection) -> None:
    """Waits for the transactions that began before now, LONGEST_WAIT at most: they may write by the classification before, and
    a record whose turn came before that would keep the classes that they gave."""
    began = await one.fetchval("select clock_timestamp()")
    for _ in range(int(LONGEST_WAIT / _LOOK_EVERY)):
        if not await one.fetchval(_OLDER, began):
            return
        await asyncio.sleep(_LOOK_EVERY)


_OLDER: Final = """
    select exists (select from pg_stat_activity where datname = current_database() and backend_type = 'client backend'
                   and pid <> pg_backend_pid() and xact_start < $1)
"""


async def carry(
    one: asyncpg.Connection, vault: Vault, progress: Progress = lambda _: None, told: Told = _to_nobody
) -> int:
    """Until every grant is of the table in force, also where another comes into force meanwhile. Returns the number of
    records that this call computed. `one` holds LOCK, and is in no transaction."""
    count, waited = 0, False
    while not (now := await adopted.current(one)).settled:
        if await one.fetchval("select towards is distinct from $1 from regranting", now.goal):
            async with one.transaction():  # an update has brought another packaged table, or classification
                if not now.classified:
                    classify.use(await adopted.classification(one, now.classes))
                    await grants.lock(one, (), directory=True)
                    await rebuild_directory(one, vault)
                await begin(one, now.goal)
        if not now.classified and not waited:
            await _let_end(one)
            waited = True
        patients = [row[0] for row in await one.fetch(_NEXT, BATCH)]
        if not patients:
            await one.execute(_DONE, now.goal)
        for patient in patients:
            place = await walking.in_one_go(one, partial(_regrant, one, vault, patient, now, told))
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


async def _regrant(one: asyncpg.Connection, vault: Vault, patient: int, now: Current, told: Told) -> Pass | None:
    """None, and nothing done, when another table has come into force."""
    await grants.lock(one, [patient])
    if (await adopted.current(one)).goal != now.goal:
        return None
    if now.classified:
        await grants.recompute(one, vault, [patient])
    else:
        classify.use(await adopted.classification(one, now.classes))
        await rebuild_patient(one, vault, patient)  # what is masked is a fact, by which classes are given
        if changed := await reclassifying.reclassify(one, vault, patient):
            await told(one, patient, changed)
            await rebuild_patient(one, vault, patient)
    return Pass(
        *await one.fetchrow("update regranting set after_patient = $1, done = done + 1 returning done, total", patient)
    )
