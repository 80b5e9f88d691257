"""Archived: a record that has left active use is closed to the teams, and kept.

It is out of their lists and searches, and opens to nobody by a team, a tour, a referral, a consent to a professional or by having been
its first author. The person and who represents them read it as before, whoever they let into the shared notebook too; so
does emergency access, and a stay or a call, each by its own fact; traces stay with those who answer for them. It is opened
again by `Patient/$join`, when the person is there and says so, or by whoever answers for retention, with a reason; both are
journaled by whoever calls, in the same transaction.

Holds and terms are not changed by it: an archived record is destroyed when its time is over, as any.
"""

import json
from collections.abc import Iterable, Sequence

import asyncpg

from liaison.auth.access import grants
from liaison.fhir.vault import Vault, context


async def archive(
    connection: asyncpg.Connection, vault: Vault, patients: Sequence[int], *, by: str, why: str
) -> list[int]:
    """In the caller's transaction. Those of them that were open until now, and are of a record in force."""
    await grants.lock(connection, patients)
    rows = await connection.fetch(
        "select patient from patient p where patient = any($1::bigint[]) and state = 0 and patient <> 0"
        " and not exists (select from archived_record a where a.patient = p.patient) order by patient",
        list(patients),
    )
    found = [int(row[0]) for row in rows]
    keys = await vault.patient_keys(connection, found)
    told = json.dumps({"by": by, "why": why}).encode()
    await connection.executemany(
        "insert into archived_record (patient, sealed) values ($1, $2)",
        [(one, keys[one].seal(context("archived"), told)) for one in found],
    )
    await grants.recompute(connection, vault, found)
    return found


async def reopen(connection: asyncpg.Connection, vault: Vault, patients: Sequence[int]) -> list[int]:
    """In the caller's transaction. Those of them that were archived: everybody has what they had, if it still stands."""
    if not await archived(connection, patients):  # nearly always
        return []
    await grants.lock(connection, patients)
    rows = await connection.fetch(
        "delete from archived_record where patient = any($1::bigint[]) returning patient", list(patients)
    )
    found = sorted(row[0] for row in rows)
    await grants.recompute(connection, vault, found)
    return found


async def archived(connection: asyncpg.Connection, patients: Iterable[int]) -> frozenset[int]:
    """Those of them whose record is archived."""
    rows = await connection.fetch(
        "select patient from archived_record where patient = any($1::bigint[])", list(patients)
    )
    return frozenset(row["patient"] for row in rows)
