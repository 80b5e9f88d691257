"""Index rows are the same, whether they come as arrays or by COPY."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from liaison.fhir.definitions import kind_of
from liaison.fhir.store import index_rows

from .conftest import observation
from .test_reindex import index

KIND = kind_of("Observation")
MOMENT = datetime(1999, 12, 31, 23, 59, 59, 1, tzinfo=timezone(timedelta(hours=-5)))
LAST = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


async def write(records: Any, patient: int, codes: str) -> None:
    await records.write(*(records.change(observation(code), patient) for code in codes))


async def test_copied_rows_are_those_of_arrays(records: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = await records.patient()
    made = []
    for most in (index_rows.MANY, 0):
        monkeypatch.setattr(index_rows, "MANY", most)
        await write(records, patient, "abc")
        made.append([_told(table) for table in await index(records)])
        for table in ("index_token", "index_date", "identity_token", "version"):
            await records.database.writing.execute(f"delete from {table} where kind = $1", KIND)

    arrays, copied = made
    assert arrays == copied
    assert [len(table) for table in copied] == [3, 3, 3, 3]


async def test_the_ends_of_time_are_copied_as_asyncpg_writes_them(records: Any) -> None:
    one = index_rows.IndexRows()
    one.dates = [(1, 5, datetime.min, datetime.max), (1, 6, datetime(1, 1, 1, tzinfo=UTC), LAST), (1, 7, MOMENT, LAST)]
    version = (7, KIND, -3, 1, datetime.min)

    async with records.database.writing.acquire() as connection:
        await one.copy(connection, "", [version])
        found = await connection.fetch("select param, low, high from index_date where patient = 7 order by param")
        await connection.execute("delete from index_date where patient = 7")

    assert [tuple(row) for row in found] == [row[1:] for row in one.dates]


def _told(table: Any) -> list[str]:
    """The rows of observations, whatever their ids."""
    return sorted(str({k: v for k, v in row.items() if k != "res"}) for row in table if row["kind"] == KIND)


async def test_a_copy_that_fails_leaves_nothing(records: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = await records.patient()
    before = await index(records)
    monkeypatch.setattr(index_rows, "MANY", 0)
    monkeypatch.setattr(index_rows, "_DATE_COLUMNS", ("no_such_column",) * 7)

    with pytest.raises(Exception, match="no_such_column"):
        await write(records, patient, "abc")

    assert await index(records) == before
