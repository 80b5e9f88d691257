"""Writes that come together share a transaction, and nothing else: each is decided, and lost, by itself."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime

import asyncpg
import pytest

from liaison.fhir.errors import Forbidden
from liaison.fhir.store.contract import Change, Unit
from liaison.fhir.store.shared import MOST

from .conftest import PlainHooks, Records, observation


def offered(records: Records, patient: int, changes: list[Change]) -> Callable[[datetime], Unit]:
    def prepare(at: datetime) -> Unit:
        change = records.change(observation(), patient)
        changes.append(change)
        return Unit(records.caller, [change], {})

    return prepare


async def together(records: Records, patients: Sequence[int]) -> tuple[list[bool | BaseException], list[Change]]:
    changes: list[Change] = []
    asked = (records.store.shared.write(patient, offered(records, patient, changes)) for patient in patients)
    return await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 20), changes


async def stored(records: Records, changes: Sequence[Change]) -> list[str]:
    """The transaction that each of them came with; nothing for one that is not there."""
    rows = await records.database.reading.fetch(
        "select created::text from version where res = any($1::bigint[])", [change.key.res for change in changes]
    )
    return [row[0] for row in rows]


async def test_what_comes_together_is_written_in_one_transaction(records: Records) -> None:
    patients = [await records.patient() for _ in range(3)]

    done, changes = await together(records, patients * 4)

    transactions = await stored(records, changes)
    assert done == [True] * 12
    assert len(transactions) == 12
    assert len(set(transactions)) == 1


async def test_a_crowd_takes_as_many_transactions_as_it_must(records: Records) -> None:
    patient = await records.patient()

    done, changes = await together(records, [patient] * (MOST + 1))

    assert all(done)
    assert len(set(await stored(records, changes))) == 2


async def test_one_that_is_refused_leaves_the_others(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = await records.patient(), await records.patient()

    async def refusing(hooks: PlainHooks, connection: asyncpg.Connection, units: Sequence[Unit]) -> None:
        for unit in units:
            if unit.changes[0].key.patient == second:
                unit.refusal = Forbidden("not yours")

    monkeypatch.setattr(PlainHooks, "before_write", refusing)

    done, changes = await together(records, [first, second, first])

    assert done[0] is done[2] is True
    assert isinstance(done[1], Forbidden)
    assert len(await stored(records, changes)) == 2


async def test_nobody_waits_for_a_patient_whom_another_transaction_holds(records: Records) -> None:
    held, free = await records.patient(), await records.patient()

    async with records.database.writing.acquire() as other, other.transaction():
        await other.execute("select from patient where patient = $1 for no key update", held)
        done, changes = await together(records, [held, free])

    assert done == [False, True]
    assert len(await stored(records, changes)) == 1


async def test_an_erased_patient_is_sent_back(records: Records) -> None:
    gone, there = await records.patient(), await records.patient()
    await records.database.writing.execute("update patient set wrapped = null where patient = $1", gone)

    done, _ = await together(records, [gone, there])

    assert done == [False, True]


async def test_what_goes_wrong_within_stores_nothing_and_sends_all_back(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = await records.patient()

    async def failing(hooks: PlainHooks, connection: asyncpg.Connection, units: Sequence[Unit]) -> None:
        await connection.execute("select 1 / 0")

    with monkeypatch.context() as patched:
        patched.setattr(PlainHooks, "after_write", failing)
        done, changes = await together(records, [patient] * 3)

    assert done == [False] * 3
    assert await stored(records, changes) == []
    assert (await together(records, [patient] * 2))[0] == [True] * 2


async def test_a_connection_that_broke_is_replaced(records: Records) -> None:
    patient = await records.patient()
    await together(records, [patient])
    await records.database.writing.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where pid <> pg_backend_pid() and datname = current_database() and query like 'COMMIT%'"
    )

    await together(records, [patient])  # sent back when the end of the connection was not yet known
    done, _ = await together(records, [patient])

    assert done == [True]
