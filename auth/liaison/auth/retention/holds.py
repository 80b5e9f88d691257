"""Legal holds: a record under one is not destroyed, whatever the rules say, until a named person lifts it.

Each is journaled by whoever calls, in the same transaction: who, why, since when. A dispute (`litigation`) suspends the
terms too (CSP R.1112-7): the days that it lasted are added when it is over.
"""

import json
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.retention.rules import Period
from liaison.fhir.vault import PatientKey, Vault, context

GROUNDS: Final = ("litigation", "inquiry", "other")
SUSPENDS: Final = "litigation"


class NotHeld(ValueError):
    """A hold cannot be placed or lifted. `str()` says why."""


class Hold(NamedTuple):
    """`by` and `why` are as they were given, in words."""

    patient: int
    number: int
    ground: str
    by: str
    why: str
    since: datetime


async def place(connection: asyncpg.Connection, vault: Vault, patient: int, *, ground: str, by: str, why: str) -> int:
    """In the caller's transaction: the number of the new hold. A destruction under way is waited for. Raises NotHeld."""
    if ground not in GROUNDS or not by.strip() or not why.strip():
        raise NotHeld(f"A hold needs a ground ({', '.join(GROUNDS)}), a name and a reason.")
    key = await _key(connection, vault, patient)
    number = secrets.randbits(53) or 1
    await connection.execute(
        "insert into legal_hold (patient, hold, ground, sealed) values ($1, $2, $3, $4)",
        patient,
        number,
        ground,
        key.seal(context("hold", number, ground), json.dumps({"by": by, "why": why}).encode()),
    )
    return number


async def lift(connection: asyncpg.Connection, vault: Vault, number: int, *, by: str, why: str) -> int:
    """In the caller's transaction: the patient whose record was held. Raises NotHeld when no such hold is in force."""
    if not by.strip() or not why.strip():
        raise NotHeld("Who lifts a hold gives a name and a reason.")
    patient = await connection.fetchval(
        "select patient from legal_hold where hold = $1 and lifted_at is null for update", number
    )
    if patient is None:
        raise NotHeld(f"There is no hold {number} in force.")
    key = await _key(connection, vault, patient)
    sealed = key.seal(context("hold lifted", number), json.dumps({"by": by, "why": why}).encode())
    await connection.execute(
        "update legal_hold set lifted_at = now(), lifting = $3 where patient = $1 and hold = $2",
        patient,
        number,
        sealed,
    )
    return int(patient)


async def _key(connection: asyncpg.Connection, vault: Vault, patient: int) -> PatientKey:
    there = await connection.fetchval(
        "select true from patient where patient = $1 and state = 0 and patient <> 0 for share", patient
    )
    key = (await vault.patient_keys(connection, {patient})).get(patient) if there else None
    if key is None:
        raise NotHeld("There is no such record.")
    return key


async def in_force(connection: asyncpg.Connection, vault: Vault) -> list[Hold]:
    """Oldest first."""
    rows = await connection.fetch(
        "select patient, hold, ground, sealed, since from legal_hold where lifted_at is null order by since, hold"
    )
    keys = await vault.patient_keys(connection, {row["patient"] for row in rows})
    found = []
    for patient, number, ground, sealed, since in rows:
        if key := keys.get(patient):
            told = json.loads(key.open(context("hold", number, ground), sealed))
            found.append(Hold(patient, number, ground, told["by"], told["why"], since))
    return found


async def held(connection: asyncpg.Connection, patients: Iterable[int]) -> frozenset[int]:
    """Those of them whose record may not be destroyed now."""
    rows = await connection.fetch(
        "select distinct patient from legal_hold where patient = any($1::bigint[]) and lifted_at is null",
        list(patients),
    )
    return frozenset(row["patient"] for row in rows)


async def suspensions(connection: asyncpg.Connection, patients: Iterable[int]) -> dict[int, list[Period]]:
    """The days of each dispute, by patient; one that is pending has lasted until today."""
    rows = await connection.fetch(
        "select patient, (since at time zone 'Europe/Paris')::date as begin,"
        " (coalesce(lifted_at, now()) at time zone 'Europe/Paris')::date + 1 as until"
        " from legal_hold where patient = any($1::bigint[]) and ground = $2",
        list(patients),
        SUSPENDS,
    )
    found: dict[int, list[Period]] = {}
    for row in rows:
        found.setdefault(row["patient"], []).append((row["begin"], row["until"]))
    return found
