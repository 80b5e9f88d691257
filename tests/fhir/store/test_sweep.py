from datetime import timedelta
from typing import Any

from liaison.fhir.store.sweep import AFTER, sweep

OBSERVATION = {"resourceType": "Observation", "status": "final", "code": {"coding": [{"code": "x"}]}}


async def versions(records: Any, table: str, res: int) -> list[int]:
    rows = await records.database.reading.fetch(f"select version from {table} where res = $1 order by 1", res)
    return [row[0] for row in rows]


async def test_index_rows_of_superseded_versions_go_after_an_hour_and_bodies_stay(records: Any) -> None:
    patient = await records.patient()
    tree = {**OBSERVATION, "effectiveDateTime": "2026-01-01T00:00:00Z"}
    first = records.change(tree, patient)
    other = records.change(tree, patient)
    await records.write(first, other)
    for version in (2, 3):
        await records.write(records.change(tree, patient, version=version, key=first.key))
    res = first.key.res

    async with records.database.writing.acquire() as connection:
        since = await sweep(connection)
        assert await versions(records, "index_token", res) == [1, 2, 3]

        since = await sweep(connection, since, timedelta())
        assert await versions(records, "index_token", res) == [3]
        assert await versions(records, "index_date", res) == [3]
        assert await versions(records, "index_token", other.key.res) == [1]
        assert await versions(records, "version", res) == [1, 2, 3]
        assert await sweep(connection, since, timedelta()) >= since


async def test_it_waits_for_longer_than_a_cursor_lives() -> None:
    from liaison.fhir.search.page import LIFE

    assert AFTER > LIFE


async def test_lists_of_dead_cursors_go(records: Any) -> None:
    execute, fetchval = records.database.writing.execute, records.database.reading.fetchval
    await execute("insert into search_list (list, sealed, made_at) values ('old', '', now() - interval '2 hours')")
    await execute("insert into search_list (list, sealed) values ('new', '')")

    async with records.database.writing.acquire() as connection:
        await sweep(connection)

    assert await fetchval("select array_agg(list) from search_list") == [b"new"]
