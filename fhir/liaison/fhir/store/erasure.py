"""Forgetting a patient: the key, every body and every index row go; a tombstone stays, and what
`liaison import` is not to store again.

What backups still hold of the patient is sealed under a key wrapped by an old shelf, which is destroyed when the
backup horizon has passed (docs, threat model).
"""

import asyncpg

from liaison.fhir.vault import Vault

ERASED = 1

# The journal outlives the patient: it tells who had access, and its entries are sealed. `patient` is the tombstone.
_STAY = ("patient", "journal_")

# Of the base, not of the code that a process happens to have loaded: a command knows few of the areas.
_TABLES = """
    select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'patient'
    where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
    order by c.relname
"""


async def _tables(connection: asyncpg.Connection) -> list[str]:
    """Every table with rows of a patient, whichever area it belongs to."""
    found = [str(name) for (name,) in await connection.fetch(_TABLES)]
    return [name for name in found if not name.startswith(_STAY)]


async def erase(connection: asyncpg.Connection, vault: Vault, patient: int) -> bool:
    """Within the caller's transaction. False if there is no such patient in force. Cannot be undone.

    The caller keeps a tombstone outside the database too, so that a restored backup forgets the patient again.
    """
    if patient == 0:
        raise ValueError("The territory cannot be erased.")
    found = await connection.fetchval(
        "update patient set wrapped = null, state = $2 where patient = $1 and state <> $2 returning true",
        patient,
        ERASED,
    )
    if not found:
        return False
    await connection.execute(
        "insert into import_destroyed select source_key from import_ledger where patient = $1 on conflict do nothing",
        patient,
    )
    for table in await _tables(connection):
        await connection.execute(f"delete from {table} where patient = $1", patient)
    vault.forget(patient)
    return True
