"""Reading every fact again from the resources that state them, and every grant from the facts.

The rows that come out are those that were there: a test holds it to that. For an administrator after a restore, and for
a new table of rules; it runs while the service serves, one patient a transaction.
"""

from collections.abc import AsyncIterator
from typing import Final

import asyncpg

from liaison.auth.access import directory, grants, masking
from liaison.auth.access.classes import Class
from liaison.auth.access.facts import FACT_TYPES, Reading, facts_of
from liaison.auth.access.relation_rows import replace_facts
from liaison.auth.access.relations import Relation
from liaison.auth.access.world import Fact
from liaison.fhir.definitions import kind_of, type_of
from liaison.fhir.model import read
from liaison.fhir.store import rows
from liaison.fhir.store.contract import Change, Key, Row, Tree
from liaison.fhir.store.ids import Ids
from liaison.fhir.vault import PatientKey, Vault

_KINDS: Final = sorted(kind_of(type_) for type_ in FACT_TYPES)
_NONE: Final = Class(0)
_DIRECTORY: Final = (kind_of("Practitioner"), kind_of("PractitionerRole"), kind_of("Organization"))


async def rebuild(pool: asyncpg.Pool, vault: Vault) -> int:
    """Returns the number of patients whose grants were computed again."""
    async with pool.acquire() as connection, connection.transaction():
        await grants.lock(connection, (), directory=True)
        await rebuild_directory(connection, vault)
        patients = await directory.everyone(connection)
    for patient in patients:
        async with pool.acquire() as connection, connection.transaction():
            await rebuild_patient(connection, vault, patient)
    return len(patients)


async def rebuild_patient(connection: asyncpg.Connection, vault: Vault, patient: int) -> None:
    """The facts of one patient from the current version of each resource, then the grants."""
    await grants.lock(connection, [patient])
    keys = await vault.patient_keys(connection, [patient])
    if patient in keys:
        ids, found = Ids(vault.id_key), list[tuple[int, Fact]]()
        async for key, tree, classes in _current(connection, keys[patient], "version", _KINDS):
            reading = Reading(tree, key, ids.decode, classes)
            found += [(patient, fact) for fact in facts_of(type_of(key.kind), reading)]
        async for key, tree, _ in _current(connection, keys[patient], "version", None, Class.MASKED):
            found += [(patient, fact) for fact in masking.of_its_own(key, tree)]
        await connection.execute(
            "delete from relation where patient = $1 and relation <> $2", patient, int(Relation.AUTHOR)
        )
        await replace_facts(connection, (), found)
    await grants.recompute(connection, vault, [patient])


async def rebuild_directory(connection: asyncpg.Connection, vault: Vault) -> None:
    """What the directory says, from the current version of each of its resources. Within grants.lock of the directory."""
    ids = Ids(vault.id_key)
    changes = []
    async for key, tree, _ in _current(connection, vault.territory, "directory_version", list(_DIRECTORY)):
        changes.append(Change("update", key, type_of(key.kind), 0, tree))
    for table in ("organization_part", "known_profession", "put_aside"):
        await connection.execute(f"delete from {table}")
    await connection.execute(
        "insert into put_aside select kind, res from directory_version"
        " where kind = any($1::smallint[]) and superseded is null and deleted",
        [kind for kind in _DIRECTORY if kind != kind_of("PractitionerRole")],
    )
    await directory.derive(connection, ids, changes)


async def _current(
    connection: asyncpg.Connection, key: PatientKey, table: str, kinds: list[int] | None, having: Class = _NONE
) -> AsyncIterator[tuple[Key, Tree, Class]]:
    """Of these types, or of all; those that have these classes."""
    found = await connection.fetch(
        f"select kind, res, version, at, classes, sealed from {table} where patient = $1"
        " and ($2::smallint[] is null or kind = any($2)) and classes & $3 = $3 and superseded is null and not deleted",
        key.patient,
        kinds,
        key.permute(int(having)),
    )
    for kind, res, version, at, classes, sealed in found:
        row = Row(Key(key.patient, kind, res), version, at, False, classes, 0, 0, 0, sealed, ())
        yield row.key, read(rows.open_(key, row)), Class(key.unpermute(classes))
