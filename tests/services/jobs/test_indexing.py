"""The indexing of what is stored: killed in the middle, it goes on; it is journaled under its own name."""

import asyncio
import contextlib

from liaison.auth.access import internal
from liaison.auth.caller import Caller
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.journal.sealing import COLUMNS, Record, unseal
from liaison.fhir.search.index import GENERATION, indexed
from liaison.fhir.store import filling
from liaison.fhir.store.contract import Request
from liaison.fhir.store.reindex import is_behind, reindex
from liaison.services.house import House
from liaison.services.jobs.indexing import index, keep_indexed

from .half_way import killed_half_way

ORGANIZATIONS = 30
URL = "https://liaison.test/SearchParameter/alias"
PARAMETER = """{"resourceType": "SearchParameter", "url": "https://liaison.test/SearchParameter/alias", "name": "Alias",
 "status": "active", "description": "Other names", "code": "alias", "base": ["Organization"], "type": "string",
 "expression": "Organization.alias"}"""

# The job in a process of its own, one resource a batch, which says how far it is and then waits for its end.
SLOW = f"""
import asyncio, sys
from liaison.fhir.store import filling, walking
from liaison.services.house import House
from liaison.services.jobs.indexing import index, keep_indexed
from liaison.services.settings import Settings

walking.BATCH = 1
batch = filling._batch
done = 0

async def slow(*arguments):
    global done
    if done == {ORGANIZATIONS // 2}:
        print("half way", flush=True)
        await asyncio.sleep(600)
    done += 1
    return await batch(*arguments)

filling._batch = slow

async def work():
    async with House.opened(Settings()) as house, house.database.writing.acquire() as one:
        [definition] = (await filling.work(one, house.store.parameters)).waiting
        await index(one, house.store, house.journal, definition)

asyncio.run(work())
"""


# A whole pass in a process of its own, which is killed within the transaction of a batch, after that has written its rows.
WHOLE = f"""
import asyncio
from liaison.fhir.search.index import GENERATION, indexed
from liaison.fhir.store import referring, reindex, walking
from liaison.services.house import House
from liaison.services.settings import Settings

walking.BATCH = 1
add = referring.add
done = 0

async def slow(*arguments):
    global done
    done += 1
    if done == {ORGANIZATIONS // 2}:
        print("half way", flush=True)
        await asyncio.sleep(600)
    await add(*arguments)

referring.add = slow

async def work():
    async with House.opened(Settings()) as house:
        store = house.store
        await reindex.reindex(store.database, store.vault, indexed, GENERATION, lambda _: None, store.parameters)

asyncio.run(work())
"""


async def created(house: House, maker: Caller, type_: str, body: bytes) -> None:
    answer = await house.engine.handle(maker, Request("POST", type_, "", body))
    assert answer.status == 201, answer.body


async def entries(house: House) -> list[Entry]:
    """The journal, oldest first."""
    rows = await house.database.reading.fetch(f"select {', '.join(COLUMNS)} from journal_entry order by at, sequence")
    return [unseal(house.journal_keys, Record(*row)) for row in rows]


async def searched(house: House, maker: Caller, query: str) -> int:
    return (await house.engine.handle(maker, Request("GET", "Organization", query))).status


async def test_killed_in_the_middle_it_goes_on_from_there(house: House) -> None:
    """MS#4020: a pass was completed without a single record."""
    maker = await internal.open_session(house.database.writing, "import")
    for number in range(ORGANIZATIONS):
        body = b'{"resourceType": "Organization", "name": "%d", "alias": ["Maison %d"]}' % (number, number)
        await created(house, maker, "Organization", body)
    await created(house, maker, "SearchParameter", PARAMETER.encode())
    killed_half_way(SLOW, house)
    rows = "select count(*), count(distinct res) from directory_index_token where param >= 20000"
    half = await house.database.reading.fetchrow(rows)
    assert 0 < half[1] < ORGANIZATIONS
    assert await searched(house, maker, "alias=maison 7") == 400

    async with house.database.writing.acquire() as one:
        [definition] = (await filling.work(one, house.store.parameters)).waiting
        assert await index(one, house.store, house.journal, definition) == ORGANIZATIONS - half[1]

    assert tuple(await house.database.reading.fetchrow(rows)) == (ORGANIZATIONS, ORGANIZATIONS)
    answer = await house.engine.handle(maker, Request("GET", "Organization", "alias=maison 7"))
    assert (answer.status, answer.body.count(b'"fullUrl"')) == (200, 1)
    passes = [one for one in await entries(house) if one.event == Event.JOB]
    assert [(one.role_code, one.detail) for one in passes] == [
        ("internal:indexing", {"act": "reindex", "parameter": URL}),
        ("internal:indexing", {"act": "reindex", "parameter": URL}),
        ("internal:indexing", {"act": "reindex", "parameter": URL, "resources": ORGANIZATIONS - half[1]}),
    ]


async def test_a_whole_pass_killed_within_a_batch_goes_on_from_there(house: House) -> None:
    """What others wrote while nobody went on is indexed by them; nothing is there twice, and nothing is missing."""
    maker = await internal.open_session(house.database.writing, "import")
    for number in range(ORGANIZATIONS):
        body = b'{"resourceType": "Organization", "active": true, "name": "%d"}' % number
        await created(house, maker, "Organization", body)
    reading, rows = (
        house.database.reading,
        "select kind, param, token, res, version from directory_index_token order by 1, 2, 3, 4, 5",
    )
    before = await reading.fetch(rows)
    await house.database.writing.execute("update reindexing set done = $1", GENERATION - 1)
    await house.database.writing.execute("delete from directory_index_token")

    killed_half_way(WHOLE, house)
    assert 0 < await reading.fetchval("select count(distinct res) from directory_index_token") < ORGANIZATIONS // 2
    assert await is_behind(house.database.writing, GENERATION)
    await created(house, maker, "Organization", b'{"resourceType": "Organization", "active": true, "name": "Neuve"}')
    store = house.store
    left = await reindex(store.database, store.vault, indexed, GENERATION, lambda _: None, store.parameters)

    assert left <= ORGANIZATIONS + 1 - (ORGANIZATIONS // 2 - 1)
    assert not await is_behind(house.database.writing, GENERATION)
    after = await reading.fetch(rows)
    assert set(before) < set(after)
    assert len(after) == len(set(after))
    query = Request("GET", "Organization", "active=true&_summary=count")
    assert b'"total":%d' % (ORGANIZATIONS + 1) in (await house.engine.handle(maker, query)).body


async def test_a_base_of_an_older_version_is_indexed_anew_by_the_service_itself(house: House) -> None:
    maker = await internal.open_session(house.database.writing, "import")
    await created(house, maker, "Organization", b'{"resourceType": "Organization", "active": true, "name": "Maison"}')
    writing = house.database.writing
    await writing.execute("update reindexing set done = $1", GENERATION - 1)
    await writing.execute("delete from directory_index_token")
    query = Request("GET", "Organization", "active=true")
    assert (await house.engine.handle(maker, query)).body.count(b'"fullUrl"') == 0

    job = asyncio.create_task(keep_indexed(house._connect, house.store, house.journal, every=0.01))
    try:
        while await is_behind(writing, GENERATION):
            await asyncio.sleep(0.05)
        while len(passes := [one for one in await entries(house) if one.event == Event.JOB]) < 2:
            await asyncio.sleep(0.05)
    finally:
        job.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await job

    assert (await house.engine.handle(maker, query)).body.count(b'"fullUrl"') == 1
    assert [(one.role_code, one.detail) for one in passes] == [
        ("internal:indexing", {"act": "reindex", "generation": GENERATION}),
        ("internal:indexing", {"act": "reindex", "generation": GENERATION, "resources": 1}),
    ]
