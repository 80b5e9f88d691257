import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from liaison.fhir.store.database import Database
from liaison.fhir.store.erasure import erase
from liaison.fhir.vault import FileKeyProvider, NotAuthentic, ProviderError, Vault

LATER = datetime(2099, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def provider(tmp_path: Path) -> FileKeyProvider:
    return FileKeyProvider.create(tmp_path / "key")


async def opened(database: Database, provider: FileKeyProvider) -> Vault:
    async with database.writing.acquire() as connection:
        return await Vault.open(connection, provider)


async def store(database: Database, vault: Vault, patient: int) -> None:
    await database.writing.execute(
        "insert into patient (patient, shelf, wrapped) values ($1, $2, $3)", *vault.new_patient(patient)
    )


async def test_a_second_process_finds_the_same_keys(either_database: Database, provider: FileKeyProvider) -> None:
    first = await opened(either_database, provider)
    await store(either_database, first, 7)
    sealed, token = first.territory.seal(b"x", b"plain"), (await keys(first, either_database, 7))[7].token(1, b"v")

    second = await opened(either_database, provider)

    assert second.territory.open(b"x", sealed) == b"plain"
    assert (await keys(second, either_database, 7))[7].token(1, b"v") == token
    assert second.id_key == first.id_key
    assert second.identity_token(1, b"ins") == first.identity_token(1, b"ins") != first.identity_token(2, b"ins")


async def keys(vault: Vault, database: Database, *patients: int) -> dict[int, Any]:
    return dict(await vault.patient_keys(database.reading, patients))


async def test_processes_that_start_together_make_one_set_of_keys(
    database: Database, provider: FileKeyProvider
) -> None:
    vaults = await asyncio.gather(*(opened(database, provider) for _ in range(4)))

    assert len({vault.id_key for vault in vaults}) == 1
    assert await database.reading.fetchval("select count(*) from shelf") == 1


async def test_the_wrong_key_file_is_refused_and_named(
    database: Database, provider: FileKeyProvider, tmp_path: Path
) -> None:
    await opened(database, provider)

    with pytest.raises(ProviderError, match="wrong"):
        await opened(database, FileKeyProvider.create(tmp_path / "wrong"))


async def test_a_patient_key_of_another_row_does_not_open(database: Database, provider: FileKeyProvider) -> None:
    vault = await opened(database, provider)
    await store(database, vault, 1)
    await store(database, vault, 2)
    await database.writing.execute(
        "update patient p set wrapped = o.wrapped from patient o where p.patient = 1 and o.patient = 2"
    )

    with pytest.raises(NotAuthentic):
        await keys(await opened(database, provider), database, 1)


async def test_a_new_month_has_a_new_shelf_and_other_processes_find_it(
    database: Database, provider: FileKeyProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await opened(database, provider), await opened(database, provider)

    for vault in (first, second):
        async with database.writing.acquire() as connection:
            await vault.turn(connection, LATER)
    await store(database, first, 9)

    assert await database.reading.fetchval("select count(*) from shelf") == 2
    assert 9 in await keys(second, database, 9)


async def test_a_shelf_is_never_made_within_somebodys_transaction(
    database: Database, provider: FileKeyProvider
) -> None:
    vault = await opened(database, provider)
    async with database.writing.acquire() as connection, connection.transaction():
        with pytest.raises(RuntimeError):
            await vault.turn(connection, LATER)


async def test_a_shelf_whose_transaction_failed_wraps_nothing(
    database: Database, provider: FileKeyProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = await opened(database, provider)
    await database.writing.execute(
        "create function refuse() returns trigger language plpgsql as $$begin raise exception 'no'; end$$;"
        "create constraint trigger refusing after insert on shelf deferrable initially deferred"
        " for each row execute function refuse()"
    )
    async with database.writing.acquire() as connection:
        with pytest.raises(asyncpg.RaiseError):
            await vault.turn(connection, LATER)
    assert vault.due(LATER)
    await store(database, vault, 9)

    assert 9 in await keys(await opened(database, provider), database, 9)


async def test_the_kept_keys_are_bounded(
    database: Database, provider: FileKeyProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liaison.fhir.vault.vault._KEPT", 3)
    vault = await opened(database, provider)

    for patient in range(1, 10):
        await store(database, vault, patient)

    assert [vault.cached(patient) is not None for patient in range(1, 10)] == [False] * 6 + [True] * 3
    assert set(await keys(vault, database, *range(1, 10))) == set(range(1, 10))


async def test_an_erased_patient_has_no_key_and_no_row_but_a_tombstone(
    either_database: Database, provider: FileKeyProvider
) -> None:
    vault = await opened(either_database, provider)
    for patient in (1, 2):
        await store(either_database, vault, patient)
        await either_database.writing.execute(
            "insert into version (patient, kind, res, version, at, classes, sealed) values ($1, 1, 1, 1, now(), 0, '')",
            patient,
        )
        await either_database.writing.execute(
            "insert into index_token (patient, kind, param, token, res, version) values ($1, 1, 1, 1, 1, 1)", patient
        )
    # Of an area that this process has not loaded.
    await either_database.writing.execute("create table elsewhere as select patient from patient")

    async with either_database.writing.acquire() as connection, connection.transaction():
        assert await erase(connection, vault, 1)
        assert not await erase(connection, vault, 1)

    fetchval = either_database.reading.fetchval
    assert set(await keys(vault, either_database, 1, 2)) == {2}
    assert await fetchval("select state from patient where patient = 1") == 1
    assert await fetchval("select array_agg(patient) from version") == [2]
    assert await fetchval("select array_agg(patient) from index_token") == [2]
    assert await fetchval("select count(*) from elsewhere where patient = 1") == 0
    assert await fetchval("select count(*) from elsewhere where patient = 2") == 1
