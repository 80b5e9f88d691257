"""What was imported from where. Names and contents are kept as keyed digests only: the ledger says nothing by itself."""

from collections.abc import Iterable
from typing import NamedTuple

import asyncpg

from liaison.fhir.store.contract import Key
from liaison.fhir.vault import Vault, context
from liaison.fhir.vault.mac import Mac


class Known(NamedTuple):
    """One thing imported before: which resource it is here, and a digest of how it looked then."""

    key: Key
    digest: bytes


class Line(NamedTuple):
    """One thing imported now, under one of its names."""

    source_key: bytes
    digest: bytes
    key: Key


class Ledger:
    """The ledger of one source: two sources may use the same ids for different things."""

    def __init__(self, vault: Vault, source: str) -> None:
        self._mac = Mac(
            vault.identity_token(_SPACE, context("import", source))
            + vault.identity_token(_SPACE, context("ledger", source))
        )

    def source_key(self, name: str) -> bytes:
        return self._mac.digest(b"name\0" + name.encode())[:16]

    def digest(self, body: bytes) -> bytes:
        return self._mac.digest(b"body\0" + body)[:16]

    async def look_up(self, connection: "asyncpg.Connection | asyncpg.Pool", names: Iterable[str]) -> dict[str, Known]:
        """What is known under each of these names."""
        keys = {self.source_key(name): name for name in names}
        rows = await connection.fetch(
            "select source_key, digest, patient, kind, res from import_ledger where source_key = any($1::bytea[])",
            list(keys),
        )
        return {keys[row[0]]: Known(Key(row[2], row[3], row[4]), row[1]) for row in rows}

    async def destroyed(self, connection: "asyncpg.Connection | asyncpg.Pool", names: Iterable[str]) -> frozenset[str]:
        """Those of these names that stood for something of a record that was destroyed."""
        keys = {self.source_key(name): name for name in names}
        rows = await connection.fetch(
            "select source_key from import_destroyed where source_key = any($1::bytea[])", list(keys)
        )
        return frozenset(keys[row[0]] for row in rows)

    async def write(self, connection: asyncpg.Connection, lines: Iterable[Line], *, second: bool = False) -> None:
        """Within the transaction that stores what they name. `second` names change nothing that is known by them."""
        rows = {line.source_key: line for line in lines}.values()
        await connection.execute(
            "insert into import_ledger (source_key, digest, patient, kind, res)"
            " select * from unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::smallint[], $5::bigint[])"
            f" on conflict (source_key) do {'nothing' if second else 'update set digest = excluded.digest'}",
            [row.source_key for row in rows],
            [row.digest for row in rows],
            [row.key.patient for row in rows],
            [row.key.kind for row in rows],
            [row.key.res for row in rows],
        )


_SPACE = 16
"""Of vault.identity_token: apart from those of liaison.fhir.store.identity."""
