"""A journal on a fresh database with a real vault, and an integrator driven pass by pass."""

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from liaison.auth.caller import Caller
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.integrator import Integrator
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.smart.scopes import read_scopes
from liaison.fhir.store.database import Database, connection
from liaison.fhir.vault import FileKeyProvider, Vault


@pytest.fixture
def provider(tmp_path: Path) -> FileKeyProvider:
    return FileKeyProvider.create(tmp_path / "key")


@pytest.fixture
async def vault(database: Database, provider: FileKeyProvider) -> Vault:
    async with database.writing.acquire() as one:
        return await Vault.open(one, provider)


@pytest.fixture
async def keys(database: Database, vault: Vault) -> JournalKeys:
    return await JournalKeys.load(database.writing, vault)


@pytest.fixture
async def journal(database: Database, keys: JournalKeys) -> AsyncIterator[Journal]:
    opened = await Journal.open(database, keys)
    yield opened
    await opened.close()


@pytest.fixture
async def raw(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A connection of one's own, with every right: what an attacker in the database would have."""
    one = await connection(database.url)
    yield one
    await one.close()


class Passes:
    """An integrator that makes a pass when told, on a connection of its own."""

    def __init__(self, integrator: Integrator, own: asyncpg.Connection) -> None:
        self.integrator, self.own = integrator, own

    async def __call__(self) -> int:
        return await self.integrator.integrate(self.own)


@pytest.fixture
async def integrate(database: Database, keys: JournalKeys) -> AsyncIterator[Passes]:
    own = await connection(database.url)
    integrator = Integrator(keys)
    await integrator.take(own)
    yield Passes(integrator, own)
    await own.close()


_numbers = itertools.count(1)


@pytest.fixture
def caller() -> Caller:
    return Caller(
        session=next(_numbers),
        bound=read_scopes("user/*.rs"),
        purpose=1,
        role_code="gp",
        practitioner=4_000_000_000_000 + next(_numbers),
        role=5_000,
        organization=6_000,
        account=7_000,
        client=8_000,
    )
