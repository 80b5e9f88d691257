"""A database says once what it is; nobody without its keys can make it say something else."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from liaison.fhir.store.database import Database
from liaison.fhir.vault import FileKeyProvider, Vault
from liaison.services.command import serve
from liaison.services.house import House
from liaison.services.installation import Kind, WrongInstallation, declare, declared
from liaison.services.sandbox.folder import MARKER


@pytest.fixture
def provider(tmp_path: Path) -> FileKeyProvider:
    return FileKeyProvider.create(tmp_path / "key")


async def _opened(database: Database, provider: FileKeyProvider) -> tuple[asyncpg.Connection, Vault]:
    connection = await asyncpg.connect(database.url)
    return connection, await Vault.open(connection, provider)


@pytest.mark.parametrize("kind", list(Kind))
async def test_it_stays_what_it_was_declared(database: Database, provider: FileKeyProvider, kind: Kind) -> None:
    connection, vault = await _opened(database, provider)
    other = next(one for one in Kind if one is not kind)
    try:
        assert await declared(connection, vault) is None
        await declare(connection, vault, kind)
        await declare(connection, vault, kind)
        with pytest.raises(WrongInstallation, match=f"is a {kind} base"):
            await declare(connection, vault, other)
        assert await declared(connection, vault) is kind
    finally:
        await connection.close()


async def test_an_edited_row_is_refused(database: Database, provider: FileKeyProvider) -> None:
    connection, vault = await _opened(database, provider)
    try:
        await declare(connection, vault, Kind.SANDBOX)
        await connection.execute("update installation set kind = 'production'")
        with pytest.raises(WrongInstallation, match="was changed"):
            await declared(connection, vault)
    finally:
        await connection.close()


async def test_a_row_from_another_database_is_refused(
    database: Database, provider: FileKeyProvider, tmp_path: Path
) -> None:
    connection, vault = await _opened(database, provider)
    try:
        await declare(connection, vault, Kind.SANDBOX)
        await connection.execute("update installation set sealed = $1", b"\x01" + bytes(80))
        with pytest.raises(WrongInstallation):
            await declared(connection, vault)
    finally:
        await connection.close()


async def test_a_base_with_people_never_becomes_a_sandbox(database: Database, provider: FileKeyProvider) -> None:
    connection, vault = await _opened(database, provider)
    try:
        await connection.execute(
            "insert into account (account, username, fhir_kind, fhir_res) values (1, 'someone', 1, 1)"
        )
        with pytest.raises(WrongInstallation, match="holds records already"):
            await declare(connection, vault, Kind.SANDBOX)
        assert await declared(connection, vault) is None
    finally:
        await connection.close()


@pytest.mark.parametrize("kind", [None, Kind.PRODUCTION, Kind.SANDBOX])
async def test_private_addresses_are_fetched_from_a_sandbox_alone(house: House, kind: Kind | None) -> None:
    if kind is not None:
        async with house.database.writing.acquire() as connection:
            await declare(connection, house.vault, kind)
    settings = house.settings.model_copy(update={"fetch_private_addresses": True})

    if kind is Kind.SANDBOX:
        async with House.opened(settings) as opened:
            assert not opened.key_sets.fetcher.problem("http://127.0.0.1:1/jwks")
    else:
        with pytest.raises(WrongInstallation, match="LIAISON_FETCH_PRIVATE_ADDRESSES"):
            async with House.opened(settings):
                pass
    assert house.key_sets.fetcher.problem("http://127.0.0.1:1/jwks")


async def test_a_sandboxs_base_is_served_from_its_own_folder_alone(house: House) -> None:
    async with house.database.writing.acquire() as connection:
        await declare(connection, house.vault, Kind.SANDBOX)

    with pytest.raises(WrongInstallation, match="without a password"):
        await asyncio.to_thread(serve._check, house.settings)
    house.settings.data.mkdir(exist_ok=True)
    (house.settings.data / MARKER).touch()
    await asyncio.to_thread(serve._check, house.settings)
