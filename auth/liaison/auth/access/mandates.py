"""Whose auditors answer for the whole territory: given and ended in the caller's transaction, with the rights that follow from it
on every record."""

import asyncpg

from liaison.auth.access import directory, grants
from liaison.fhir.vault import Vault


async def give(connection: asyncpg.Connection, vault: Vault, organization: int, convention: str) -> None:
    """`convention` says by which act of the structures; given again, it is the act from now on."""
    if not convention.strip():
        raise ValueError("A mandate over the territory cites the convention that gives it.")
    await grants.lock(connection, (), directory=True)
    await connection.execute(
        "insert into audit_mandate (organization, convention) values ($1, $2)"
        " on conflict (organization) do update set convention = excluded.convention",
        organization,
        convention.strip(),
    )
    await _follow(connection, vault)


async def end(connection: asyncpg.Connection, vault: Vault, organization: int) -> bool:
    """The auditors of the organisation see what is its own, from the next request on. False where it had none."""
    await grants.lock(connection, (), directory=True)
    found = await connection.fetchval("delete from audit_mandate where organization = $1 returning true", organization)
    if found:
        await _follow(connection, vault)
    return bool(found)


async def _follow(connection: asyncpg.Connection, vault: Vault) -> None:
    await grants.recompute(connection, vault, await directory.everyone(connection))
