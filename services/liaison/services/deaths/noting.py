"""Whose plans are to be looked at for a death: noted in the transaction that says so, whoever writes, so that none is passed over
whatever dies. A plan that is begun is noted too: it may be of somebody of whom it was said before.

What is to be done of it is done later, and again if it was cut short (liaison.services.jobs.ending): nothing here reads or sends.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Change, Key, Unit
from liaison.protocols.deaths import died
from liaison.protocols.workshops import LISTED
from liaison.services.planned.keeping import Planning

PATIENT: Final = kind_of("Patient")
OPEN: Final = ("active", "on-hold")
"""The states of a plan that a death ends."""
_AT_ONCE: Final = 100


class Noted(NamedTuple):
    """`at`: when it was last noted; it may be noted again since."""

    patient: int
    at: datetime


class Ending(Planning):
    """The hooks of the rights, the journal, the signals, the messages and what is planned, and after them the list of whose plans
    may have to end, or who has given up a place."""

    async def after_write(self, connection: asyncpg.Connection, units: Sequence[Unit]) -> None:
        await super().after_write(connection, units)
        patients = {one.key.patient for unit in units for one in unit.changes if _may_end(one) or _gave_up(one)}
        await note(connection, patients - {0})


def _may_end(change: Change) -> bool:
    if change.tree is None:
        return False
    if change.type_ == "CarePlan":
        begun = change.before is None or change.before.get("status") not in OPEN
        return begun and change.tree.get("status") in OPEN and bool(change.tree.get("instantiatesCanonical"))
    return change.type_ == "Patient" and died(change.tree)


def _gave_up(change: Change) -> bool:
    """A place in a session, or in any other Slot."""
    before, after = change.before, change.tree
    if change.type_ != "Appointment" or before is None or before.get("status") not in LISTED:
        return False
    return bool(before.get("slot")) and (after is None or after.get("status") not in LISTED)


async def note(connection: asyncpg.Connection, patients: set[int]) -> None:
    if patients:
        await connection.execute(
            "insert into plan_to_end (patient) select unnest($1::bigint[])"
            " on conflict (patient) do update set noted_at = clock_timestamp()",
            sorted(patients),
        )


async def noted(connection: asyncpg.Connection) -> list[Noted]:
    """The longest waiting first."""
    rows = await connection.fetch(
        "select patient, noted_at from plan_to_end where noted_at <= clock_timestamp() order by noted_at limit $1",
        _AT_ONCE,
    )
    return [Noted(*row) for row in rows]


async def settled(connection: asyncpg.Connection, one: Noted) -> None:
    """Unless it was noted again meanwhile."""
    await connection.execute("delete from plan_to_end where patient = $1 and noted_at = $2", *one)


async def put_off(connection: asyncpg.Connection, one: Noted) -> None:
    """It could not be done now: behind the others, which it does not hold up."""
    await connection.execute(
        "update plan_to_end set noted_at = clock_timestamp() + interval '1 minute' where patient = $1 and noted_at = $2",
        *one,
    )


async def people_of(connection: asyncpg.Connection, patient: int) -> list[Key]:
    """The Patients of this record that stand: none where it was destroyed."""
    rows = await connection.fetch(
        "select res from version where patient = $1 and kind = $2 and superseded is null and not deleted",
        patient,
        PATIENT,
    )
    return [Key(patient, PATIENT, row["res"]) for row in rows]
