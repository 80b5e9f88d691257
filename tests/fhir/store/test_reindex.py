"""A pass over the index: the same rows as the writer's, resumed where it was stopped, while others write."""

import asyncio
from typing import Any

import pytest

from liaison.fhir.errors import Conflict
from liaison.fhir.search.index import GENERATION
from liaison.fhir.store import reindex as passes
from liaison.fhir.store import walking
from liaison.fhir.store.contract import Indexed, Tree

from .conftest import observation

INDEXES = (
    "select patient, kind, param, token, res, version, clinical from index_token order by 1, 2, 3, 4, 5, 6",
    "select patient, kind, param, low, high, res, version from index_date order by 1, 2, 3, 4, 5, 6, 7",
    "select space, token, patient, kind, res from identity_token order by 1, 2, 3, 4, 5",
    "select patient, kind, res, version, clinical from version order by 1, 2, 3, 4",
)


async def index(records: Any) -> list[Any]:
    return [await records.database.reading.fetch(one) for one in INDEXES]


async def reindexed(records: Any, how: Any = None, generation: int = 1) -> int:
    store = records.store
    how = how or store._index
    return await passes.reindex(store.database, store.vault, how, generation, lambda _: None, store.parameters)


async def is_behind(records: Any, generation: int) -> bool:
    async with records.database.reading.acquire() as one:
        return await passes.is_behind(one, generation)


async def filled(records: Any, patients: int = 3, each: int = 4) -> list[Any]:
    return [
        await records.observation(patient, f"code-{number}")
        for patient in [await records.patient() for _ in range(patients)]
        for number in range(each)
    ]


def wider(records: Any) -> Any:
    """An index that keeps one token more than the records were written with."""
    plain = records.store._index

    def index(type_: str, tree: Tree) -> Indexed:
        found = plain(type_, tree)
        return Indexed(found.clinical, [*found.tokens, (9, type_.encode())], found.dates)

    return index


async def test_the_rows_are_those_that_the_writer_wrote(records: Any) -> None:
    keys = await filled(records)
    await records.write(records.change(observation("changed"), keys[0].patient, version=2, key=keys[0]))
    before = await index(records)
    for table in ("index_token", "index_date"):
        await records.database.writing.execute(f"delete from {table} where version > 1 or res <> $1", keys[0].res)
    await records.database.writing.execute("delete from identity_token")
    assert await index(records) != before

    assert await reindexed(records) == len(keys) + 3

    assert await index(records) == before  # and the rows of the superseded version are still there
    assert await reindexed(records) == len(keys) + 3
    assert await index(records) == before


async def test_what_is_kept_of_older_records_is_brought_up_to_date(records: Any) -> None:
    keys = await filled(records)
    assert not await is_behind(records, GENERATION)
    assert await is_behind(records, GENERATION + 1)

    await reindexed(records, wider(records), generation=GENERATION + 1)

    assert not await is_behind(records, GENERATION + 1)
    rows = await records.database.reading.fetch(
        "select res from index_token where param = 9 and kind = $1", keys[0].kind
    )
    assert {row[0] for row in rows} == {key.res for key in keys}


async def test_a_pass_that_is_stopped_goes_on_from_there(records: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "BATCH", 3)
    keys = await filled(records)
    seen: list[Tree] = []

    def stopped(type_: str, tree: Tree) -> Indexed:
        if len(seen) == 7:
            raise KeyboardInterrupt
        seen.append(tree)
        found: Indexed = wider(records)(type_, tree)
        return found

    with pytest.raises(KeyboardInterrupt):
        await reindexed(records, stopped, generation=GENERATION + 1)
    assert await is_behind(records, GENERATION + 1)

    assert await reindexed(records, wider(records), generation=GENERATION + 1) == len(keys) + 3 - 6
    assert not await is_behind(records, GENERATION + 1)
    tokens = "select count(*), count(distinct (patient, kind, res)) from index_token where param = 9"
    assert tuple(await records.database.reading.fetchrow(tokens)) == (len(keys) + 3, len(keys) + 3)


async def test_writers_are_not_lost_to_a_pass(records: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "BATCH", 2)
    keys = await filled(records)
    new = records.store._index = wider(records)  # the writers run the new code

    await asyncio.gather(reindexed(records, new, generation=GENERATION + 1), *map(records.rewrite, keys[::2]))

    assert await records.tokens_of(9, keys[0].kind) == {
        key.res: (5 if place % 2 == 0 else 1, 1) for place, key in enumerate(keys)
    }


async def test_two_passes_at_once_are_refused(records: Any) -> None:
    await filled(records, 1, 1)
    async with records.database.writing.acquire() as other:
        await other.execute("select pg_advisory_lock($1)", passes._LOCK)
        with pytest.raises(Conflict):
            await reindexed(records)
        await other.execute("select pg_advisory_unlock($1)", passes._LOCK)
    assert await reindexed(records) == 2
