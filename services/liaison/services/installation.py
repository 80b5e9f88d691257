"""What a database is, said once and for good: a sandbox, or production. Neither can be turned into the other.

The kind is sealed under the territory's key and bound to this table: a row that was edited, or carried over from another
database, does not open, and the service refuses to start on it.
"""

from enum import StrEnum
from typing import Final

import asyncpg

from liaison.fhir.vault import NotAuthentic, Vault, context

_CONTEXT: Final = context("installation")
_LOCK: Final = 0x11A1F5


FICTITIOUS: Final = "C'est la base d'un bac à sable : données fictives, rien de réel."


class Kind(StrEnum):
    SANDBOX = "sandbox"
    PRODUCTION = "production"


class WrongInstallation(RuntimeError):
    """This database is not what the command works on. The text says what it is and what to do."""


async def declared(connection: "asyncpg.Connection | asyncpg.Pool", vault: Vault) -> Kind | None:
    """What the database was declared to be, None when nobody has yet. Raises WrongInstallation for a forged row."""
    row = await connection.fetchrow("select kind, sealed from installation where installation = 0")
    if row is None:
        return None
    try:
        kind = Kind(vault.territory.open(_CONTEXT, row["sealed"]).decode())
    except NotAuthentic:
        kind = None
    if kind is None or kind != row["kind"]:
        raise WrongInstallation(
            "The database's own declaration of what it is (table installation) was changed by someone other than "
            "Liaison. Restore it from a backup."
        )
    return kind


async def declare(connection: asyncpg.Connection, vault: Vault, kind: Kind) -> None:
    """Says it, on a database that holds nobody yet; saying the same again changes nothing.

    Raises WrongInstallation when the database is the other kind, or holds people or records undeclared.
    """
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        before = await declared(connection, vault)
        if before is kind:
            return
        if before is not None:
            raise WrongInstallation(f"This database is a {before} base, and stays one. Use another data folder.")
        if kind is Kind.SANDBOX and await _used(connection):
            raise WrongInstallation("This database holds records already; a sandbox is made in a new data folder only.")
        await connection.execute(
            "insert into installation (installation, kind, sealed) values (0, $1, $2)",
            str(kind),
            vault.territory.seal(_CONTEXT, str(kind).encode()),
        )


async def _used(connection: asyncpg.Connection) -> bool:
    for table in ("account", "patient"):
        if await connection.fetchval(f"select exists (select from {table})"):
            return True
    return False
