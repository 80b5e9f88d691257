"""The database and its keys, for a command that needs no more of the house: no store, no engine, no chain of its own."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg

from liaison.auth.journal.keys import JournalKeys
from liaison.fhir.store.database import Database, connection
from liaison.fhir.vault import Vault
from liaison.services import base
from liaison.services.house import key_provider
from liaison.services.settings import Settings


@dataclass(frozen=True, slots=True)
class Opening:
    """Open for the time of a command. `connection` is its own, outside the pools."""

    connection: asyncpg.Connection
    database: Database
    vault: Vault
    journal_keys: JournalKeys


@contextlib.asynccontextmanager
async def opening(settings: Settings) -> AsyncIterator[Opening]:
    """Raises UnknownSchema, Unavailable, NoKey, NoDatabase or ProviderError, each with what to do."""
    provider = key_provider(settings)
    async with await Database.connect(base.url(settings), readers=2, writers=2) as database:
        one = await connection(database.url)
        try:
            vault = await Vault.open(one, provider)
            yield Opening(one, database, vault, await JournalKeys.load(one, vault))
        finally:
            await one.close()
