"""The grants of everyone by another table of rules: killed in the middle, it goes on; it is journaled under its name."""

import asyncio
from typing import Any

from liaison.auth.access import adopted, adopting, internal, regranting
from liaison.auth.access.adopting import Decision
from liaison.auth.access.rebuild import rebuild
from liaison.auth.access.table import packaged_text
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.journal.sealing import COLUMNS, Record, unseal
from liaison.fhir.store.contract import Request
from liaison.fhir.store.database import connection
from liaison.services.house import House
from liaison.services.jobs.regranting import keep_regranted, regrant

from .half_way import killed_half_way

PATIENTS = 20
OTHER = packaged_text().replace("CONSENT, MASKED]\n        # MASKED:", "CONSENT]\n        # MASKED:", 1)
"""The person reads no Consent that masks: one cell of row 21, which everyone has. In force before there is anybody, so that the
packaged table then gives all of them more: what another takes is taken at once, and no pass is seen (access.narrowing)."""

# The job in a process of its own, which says how far it is in the middle of a record, and then waits for its end.
SLOW = f"""
import asyncio
from liaison.auth.access import grants, regranting
from liaison.fhir.store.database import connection
from liaison.services.house import House
from liaison.services.jobs.regranting import regrant
from liaison.services.settings import Settings

recompute = grants.recompute
done = 0

async def slow(*arguments):
    global done
    await recompute(*arguments)
    if done == {PATIENTS // 2}:
        print("half way", flush=True)
        await asyncio.sleep(600)
    done += 1

grants.recompute = slow

async def work():
    async with House.opened(Settings()) as house:
        one = await connection(house.database.url)
        await one.execute("select pg_advisory_lock($1)", regranting.LOCK)
        await regrant(one, house.vault, house.journal)

asyncio.run(work())
"""


async def narrowed(house: House) -> None:
    """The other table is in force, and nobody is there yet."""
    assert packaged_text() != OTHER
    async with house.database.writing.acquire() as one, one.transaction():
        await adopting.adopt(one, house.vault, OTHER, Decision("DPO", "essai"), 0)
    alone = await connection(house.database.url)
    try:
        await alone.execute("select pg_advisory_lock($1)", regranting.LOCK)
        await regrant(alone, house.vault, house.journal)
    finally:
        await alone.close()


async def settled(house: House) -> None:
    """People in a base, and a table in force that gives them more, by which nothing is computed yet."""
    maker = await internal.open_session(house.database.writing, "import")
    for number in range(PATIENTS):
        body = b'{"resourceType": "Patient", "name": [{"family": "Essai%d"}]}' % number
        assert (await house.engine.handle(maker, Request("POST", "Patient", "", body))).status == 201
    async with house.database.writing.acquire() as one, one.transaction():
        await adopting.adopt(one, house.vault, packaged_text(), Decision("DPO", "essai"), 1)


async def grants_of(house: House) -> list[Any]:
    return sorted(map(tuple, await house.database.reading.fetch("select * from access_grant")))


async def entries(house: House) -> list[Entry]:
    """The journal, oldest first."""
    rows = await house.database.reading.fetch(f"select {', '.join(COLUMNS)} from journal_entry order by at, sequence")
    return [unseal(house.journal_keys, Record(*row)) for row in rows]


async def test_killed_in_the_middle_it_goes_on_from_there(house: House) -> None:
    await narrowed(house)
    await settled(house)
    before = await grants_of(house)
    killed_half_way(SLOW, house)
    assert await regranting.under_way(house.database) == regranting.Pass(PATIENTS // 2, PATIENTS)
    half = await grants_of(house)
    assert len(set(half) - set(before)) == PATIENTS // 2, "each record is whole, by one table or by the other"

    one = await connection(house.database.url)
    try:
        await one.execute("select pg_advisory_lock($1)", regranting.LOCK)
        assert await regrant(one, house.vault, house.journal) == PATIENTS - PATIENTS // 2
    finally:
        await one.close()

    assert await regranting.under_way(house.database) is None
    after = await grants_of(house)
    assert len(set(after) - set(before)) == PATIENTS
    await rebuild(house.database.writing, house.vault)
    assert await grants_of(house) == after
    passes = [one for one in await entries(house) if one.event == Event.JOB and (one.detail or {}).get("rules") == 2]
    assert [(one.role_code, one.detail) for one in passes] == [
        ("internal:rebuild", {"act": "rights of all records", "rules": 2}),
        ("internal:rebuild", {"act": "rights of all records", "rules": 2}),
        ("internal:rebuild", {"act": "rights of all records", "rules": 2, "records": PATIENTS - PATIENTS // 2}),
    ]


async def test_a_service_that_runs_does_it_by_itself(house: House) -> None:
    await narrowed(house)
    job = asyncio.create_task(
        keep_regranted(lambda: connection(house.database.url), house.vault, house.journal, every=0.05)
    )
    try:
        await settled(house)
        while not (await adopted.current(house.database)).settled:  # the base alone knows
            await asyncio.sleep(0.05)
    finally:
        job.cancel()
    after = await grants_of(house)
    await rebuild(house.database.writing, house.vault)
    assert await grants_of(house) == after
