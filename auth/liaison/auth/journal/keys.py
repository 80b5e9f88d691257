"""The journal's own keys: one a month that seals entries, one that signs checkpoints.

Each is 32 random bytes in journal_key, sealed under the territory's journal key. Deleting a month's row (and letting
backups expire) ends what the entries of that month say; their hashes stay, so that every proof stays valid.
"""

import os
from datetime import UTC, datetime
from typing import Final, Self

import asyncpg

from liaison.auth.journal.checkpoint import Signer
from liaison.fhir.vault import Vault, context

SEAL: Final = "seal"
SIGN: Final = "sign"


class JournalKeys:
    """Satisfies sealing.Keys. Open once a process."""

    def __init__(self, vault: Vault) -> None:
        """Use `load`."""
        self._vault = vault
        self._keys: dict[tuple[str, int], bytes] = {}
        self.generation = 0
        self.signer: Signer

    @classmethod
    async def load(cls, connection: "asyncpg.Connection | asyncpg.Pool", vault: Vault) -> Self:
        """Makes what is missing. Raises NotAuthentic if the keys are not this vault's."""
        keys = cls(vault)
        await keys._make(connection, SIGN, 1)
        await keys.turn(connection, await connection.fetchval("select clock_timestamp()"))
        await keys.refresh(connection)
        keys.signer = Signer(keys._keys[SIGN, 1])
        return keys

    async def turn(self, connection: "asyncpg.Connection | asyncpg.Pool", now: datetime) -> None:
        """Makes or finds the key of this month. Costs nothing while the month lasts. `now` by the database's clock."""
        utc = now.astimezone(UTC)
        month = utc.year * 100 + utc.month
        if self.generation != month:
            await self._make(connection, SEAL, month)
            await self.refresh(connection)
            self.generation = month

    async def refresh(self, connection: "asyncpg.Connection | asyncpg.Pool") -> None:
        """Reads the keys that other processes have made, and forgets those that were destroyed."""
        rows = await connection.fetch("select purpose, generation, sealed from journal_key")
        self._keys = {(purpose, one): self._open(purpose, one, sealed) for purpose, one, sealed in rows}

    def key(self, generation: int) -> bytes:
        """KeyError when that month's key does not exist, was destroyed, or was made since the last refresh."""
        return self._keys[SEAL, generation]

    def holds(self, generation: int) -> bool:
        """Whether that month's key is at hand."""
        return (SEAL, generation) in self._keys

    def _open(self, purpose: str, generation: int, sealed: bytes) -> bytes:
        return self._vault.journal.open(_context(purpose, generation), sealed)

    async def _make(self, connection: "asyncpg.Connection | asyncpg.Pool", purpose: str, generation: int) -> None:
        sealed = self._vault.journal.seal(_context(purpose, generation), os.urandom(32))
        await connection.execute(
            "insert into journal_key (purpose, generation, sealed) values ($1, $2, $3) on conflict do nothing",
            purpose,
            generation,
            sealed,
        )


def _context(purpose: str, generation: int) -> bytes:
    return context("journal key", purpose, generation)
