"""Writers and added search parameters: none is missed, whoever comes first; and a pass that is stopped goes on."""

import asyncio
from typing import Any

import pytest

from liaison.fhir.definitions import SearchParameter
from liaison.fhir.errors import Unavailable
from liaison.fhir.store import Store, filling, parameters, walking
from liaison.fhir.store.contract import Indexed, Tree
from liaison.fhir.store.database import Database

from .conftest import held_up, observation
from .test_reindex import index as all_rows

PARAMETER: Tree = {
    "resourceType": "SearchParameter",
    "url": "https://liaison.test/SearchParameter/how",
    "name": "How",
    "status": "active",
    "description": "The method",
    "code": "how",
    "base": ["Observation", "Organization"],
    "type": "token",
    "expression": "Observation.method | Organization.alias",
}
ROWS = "select res, version, count(*) from index_token where param = 20000 group by 1, 2 order by 1, 2"


def rows_of(type_: str, tree: Tree, parameter: SearchParameter) -> Indexed:
    from datetime import datetime

    return Indexed(datetime.min, [(parameter.number, b"how")] if type_ == "Observation" else [], ())


def by_writer(records: Any, store: Store | None = None) -> None:
    """The writers keep a row for each added parameter they know of."""
    from liaison.fhir.definitions import kept_parameters

    one = store or records.store
    plain = one._index

    def index(type_: str, tree: Tree) -> Indexed:
        found = plain(type_, tree)
        more = [(each.number, b"how") for each in kept_parameters(type_)]
        return Indexed(found.clinical, [*found.tokens, *more], found.dates)

    one._index = index


async def fill(records: Any, how: Any = rows_of) -> int:
    async with records.database.writing.acquire() as one:
        there = await filling.work(one, records.store.parameters)
        return sum([await filling.fill(one, records.store.vault, each, how) for each in there.waiting])


async def add(records: Any) -> Any:
    change = records.change(PARAMETER, 0)
    await records.write(change)
    return change


async def test_a_writer_that_does_not_know_of_it_yet_makes_its_rows_again(records: Any) -> None:
    """Two processes: the parameter comes by the one, the other writes without having looked."""
    by_writer(records)
    patient = await records.patient()
    async with Store(records.database, records.store.vault, records.store.filter, records.hooks) as other:
        await other.parameters.refreshed()
        async with records.database.writing.acquire() as connection, connection.transaction():
            await other.write(connection, records.caller, [records.change(PARAMETER, 0)], {})
    assert records.store.parameters.known.empty

    key = await records.observation(patient)

    assert [tuple(row) for row in await records.database.reading.fetch(ROWS)] == [(key.res, 1, 1)]
    assert not records.store.parameters.known.empty


async def test_without_the_comparison_it_would_miss_it(records: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault: a writer that only goes by what it knows."""
    from liaison.fhir.store import writer

    by_writer(records)
    patient = await records.patient()
    async with (
        Store(records.database, records.store.vault, records.store.filter, records.hooks) as other,
        records.database.writing.acquire() as connection,
        connection.transaction(),
    ):
        await other.write(connection, records.caller, [records.change(PARAMETER, 0)], {})
    blind = {
        name: text.replace("revision = $16::bigint", "$16::bigint is not null")
        for name, text in writer._INSERTS.items()
    }
    assert blind != writer._INSERTS
    monkeypatch.setattr(writer, "_INSERTS", blind)

    await records.observation(patient)

    assert await records.database.reading.fetch(ROWS) == []


async def test_it_waits_for_who_is_writing_and_who_comes_after_waits_for_it(records: Any) -> None:
    by_writer(records)
    patient = await records.patient()
    early, late = records.change(observation("early"), patient), records.change(observation("late"), patient)
    store = records.store
    async with records.database.writing.acquire() as writing, records.database.writing.acquire() as adding:
        first, second = writing.transaction(), adding.transaction()
        await first.start()
        await store.write(writing, records.caller, [early], {})  # indexed without the parameter
        await second.start()
        parameter = asyncio.create_task(store.write(adding, records.caller, [records.change(PARAMETER, 0)], {}))
        await held_up(records.database, parameter)
        assert not parameter.done(), "it came between a writer's rows and their commit"
        await first.commit()
        await parameter
        after = asyncio.create_task(records.write(late))
        await held_up(records.database, after)
        assert not after.done(), "a writer came between the parameter and its commit"
        await second.commit()
        await after

    assert [row["res"] for row in await records.database.reading.fetch(ROWS)] == [late.key.res]
    await fill(records)
    assert {row["res"] for row in await records.database.reading.fetch(ROWS)} == {early.key.res, late.key.res}


async def test_it_does_not_wait_for_ever(records: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parameters, "WAIT_SECONDS", 1)
    patient = await records.patient()
    async with records.database.writing.acquire() as writing, writing.transaction():
        await records.store.write(writing, records.caller, [records.change(observation("slow"), patient)], {})
        with pytest.raises(Unavailable, match="long write"):
            await add(records)


async def test_a_pass_that_is_stopped_goes_on_from_there(records: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "BATCH", 3)
    patients = [await records.patient() for _ in range(3)]
    keys = [await records.observation(patient, f"code-{n}") for patient in patients for n in range(4)]
    before = await all_rows(records)
    await add(records)
    seen: list[Tree] = []

    def stopped(type_: str, tree: Tree, parameter: SearchParameter) -> Indexed:
        if len(seen) == 7:
            raise KeyboardInterrupt
        seen.append(tree)
        return rows_of(type_, tree, parameter)

    with pytest.raises(KeyboardInterrupt):
        await fill(records, stopped)
    assert len(await records.database.reading.fetch(ROWS)) == 6
    assert (await records.store.parameters.refreshed()).waiting

    assert await fill(records) == len(keys) - 6
    assert [row["count"] for row in await records.database.reading.fetch(ROWS)] == [1] * len(keys)
    assert (await records.store.parameters.refreshed()).ready
    others = [[row for row in table if row.get("param") != 20000] for table in await all_rows(records)]
    assert others == before, "other rows are as they were"


async def test_writers_go_on_meanwhile_and_nothing_is_there_twice(
    records: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "BATCH", 2)
    by_writer(records)
    patient = await records.patient()
    keys = [await records.observation(patient, f"code-{n}") for n in range(12)]
    await add(records)

    await asyncio.gather(fill(records), *map(records.rewrite, keys[::2]))

    assert await records.tokens_of(20000, keys[0].kind) == {
        key.res: (5 if place % 2 == 0 else 1, 1) for place, key in enumerate(keys)
    }


async def test_one_that_ends_meanwhile_is_not_made_ready(records: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "BATCH", 1)
    patient = await records.patient()
    for number in range(3):
        await records.observation(patient, f"code-{number}")
    change = await add(records)
    async with records.database.writing.acquire() as one:
        [definition] = (await filling.work(one, records.store.parameters)).waiting
    await records.write(records.change({**PARAMETER, "status": "retired"}, 0, version=2, key=change.key))

    async with records.database.writing.acquire() as one:
        assert await filling.fill(one, records.store.vault, definition, rows_of) == 0

    known = await records.store.parameters.refreshed()
    assert known.empty


async def test_those_who_ask_at_once_ask_the_base_once(records: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    fetch = Database.fetch

    async def counted(self: Database, statement: str, *arguments: Any) -> list[Any]:
        asked.append(statement)
        return await fetch(self, statement, *arguments)

    monkeypatch.setattr(Database, "fetch", counted)
    known = parameters.Parameters(records.store.database, records.store.vault)

    found = await asyncio.gather(*(known.current() for _ in range(5)))

    assert all(one is found[0] for one in found)
    assert len([one for one in asked if "search_revision" in one]) == 1
