"""The journal's own keys: one a month that seals entries, one that signs checkpoints.

Each is 32 random bytes in journal_key, sealed under the territory's journal key; those of a later signing key are
followed by the log's name, which it keeps. Deleting a month's row (and letting backups expire) ends what the entries of
that month say; their hashes stay, so that every proof stays valid.
"""

import os
from datetime import UTC, datetime
from typing import Final, Self

import asyncpg

from liaison.auth.journal.checkpoint import Signer
from liaison.fhir.vault import Vault, context

SEAL: Final = "seal"
SIGN: Final = "sign"
_SECRET: Final = 32
_SIGNING: Final = "select generation from journal_key where purpose = 'sign' order by generation"


class StillWaiting(Exception):
    """A new signing key waits for its first checkpoint: there is no need of another."""


class JournalKeys:
    """Satisfies sealing.Keys. Open once a process."""

    def __init__(self, vault: Vault) -> None:
        """Use `load`."""
        self._vault = vault
        self._keys: dict[tuple[str, int], bytes] = {}
        self.generation = 0
        self.signer: Signer
        """Signs checkpoints now. Another process may have handed over since: its checkpoints say so."""
        self._signing: list[int] = []

    @classmethod
    async def load(cls, connection: "asyncpg.Connection | asyncpg.Pool", vault: Vault) -> Self:
        """Makes what is missing. Raises NotAuthentic if the keys are not this vault's."""
        keys = cls(vault)
        if not await connection.fetchval("select exists (select from journal_key where purpose = 'sign')"):
            await keys._make(connection, SIGN, 1)
        await keys.turn(connection, await connection.fetchval("select clock_timestamp()"))
        await keys.refresh(connection)
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
        self._signing = sorted(one for purpose, one in self._keys if purpose == SIGN)
        self.signer = self._signer(self._signing[0])

    async def current(self, connection: asyncpg.Connection) -> None:
        """Follows what others have made and destroyed since: before entries are opened for somebody."""
        kept = {row[0] for row in await connection.fetch("select generation from journal_key where purpose = 'seal'")}
        if kept != {one for purpose, one in self._keys if purpose == SEAL}:
            await self.refresh(connection)

    async def signers(self, connection: asyncpg.Connection) -> tuple[Signer, Signer | None]:
        """Who signs now, and who is to follow, as the base has it at this moment."""
        if [row[0] for row in await connection.fetch(_SIGNING)] != self._signing:
            await self.refresh(connection)
        return self.signer, self._signer(self._signing[1]) if len(self._signing) > 1 else None

    async def succeed(self, connection: asyncpg.Connection) -> Signer:
        """Makes the key that follows: the next checkpoint is signed by both and hands over. Raises StillWaiting."""
        signer, following = await self.signers(connection)
        if following is not None:
            raise StillWaiting
        seed, generation = os.urandom(_SECRET), self._signing[0] + 1
        made = Signer(seed, signer.verifier.name)
        await self._make(connection, SIGN, generation, seed + signer.verifier.name.encode())
        return made

    async def handed_over(self, connection: asyncpg.Connection) -> None:
        """Destroys the key that signed until now, in the transaction that keeps the checkpoint of both."""
        await connection.execute(
            "delete from journal_key where purpose = $1 and generation = $2", SIGN, self._signing[0]
        )

    def _signer(self, generation: int) -> Signer:
        kept = self._keys[SIGN, generation]
        return Signer(kept[:_SECRET], kept[_SECRET:].decode())

    def key(self, generation: int) -> bytes:
        """KeyError when that month's key does not exist, was destroyed, or was made since the last refresh."""
        return self._keys[SEAL, generation]

    def holds(self, generation: int) -> bool:
        """Whether that month's key is at hand."""
        return (SEAL, generation) in self._keys

    def _open(self, purpose: str, generation: int, sealed: bytes) -> bytes:
        return self._vault.journal.open(_context(purpose, generation), sealed)

    async def _make(
        self, connection: "asyncpg.Connection | asyncpg.Pool", purpose: str, generation: int, secret: bytes = b""
    ) -> None:
        """Does nothing when another process has made it."""
        sealed = self._vault.journal.seal(_context(purpose, generation), secret or os.urandom(_SECRET))
        await connection.execute(
            "insert into journal_key (purpose, generation, sealed) values ($1, $2, $3) on conflict do nothing",
            purpose,
            generation,
            sealed,
        )


def _context(purpose: str, generation: int) -> bytes:
    return context("journal key", purpose, generation)
