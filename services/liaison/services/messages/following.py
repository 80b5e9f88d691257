"""Follows the alerts that changed: each has its Flag, and what is to be sent of it is put down.

As the internal principal `protocols`; each look is in the journal. The note that an alert changed goes once all of it is done, so a
pass that was cut short is simply repeated.
"""

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import asyncpg

from liaison.auth.access.classes import EVERYTHING, Class
from liaison.fhir.definitions import kind_of
from liaison.fhir.model import dates
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Key
from liaison.protocols.alerts import Standing, standing
from liaison.services.messages import flags, outbox, recipients
from liaison.services.pages.record import Record

_TASK: Final = kind_of("Task")
_AT_ONCE: Final = 100
_WAITS: Final = timedelta(days=1)


class Changed(NamedTuple):
    """`at`: when it last changed; it may have changed again since."""

    key: Key
    at: datetime


async def changed(connection: asyncpg.Connection) -> list[Changed]:
    """The alerts to follow, the longest waiting first."""
    rows = await connection.fetch(
        "select patient, res, changed_at from alert_change where changed_at <= clock_timestamp() order by changed_at limit $1",
        _AT_ONCE,
    )
    return [Changed(Key(patient, _TASK, res), at) for patient, res, at in rows]


async def done(connection: asyncpg.Connection, one: Changed) -> None:
    """Unless it has changed meanwhile."""
    await connection.execute(
        "delete from alert_change where patient = $1 and res = $2 and changed_at = $3",
        one.key.patient,
        one.key.res,
        one.at,
    )


async def put_off(connection: asyncpg.Connection, one: Changed) -> None:
    """It could not be followed now: behind the others, which it does not hold up."""
    await connection.execute(
        "update alert_change set changed_at = clock_timestamp() + interval '1 minute'"
        " where patient = $1 and res = $2 and changed_at = $3",
        one.key.patient,
        one.key.res,
        one.at,
    )


async def follow(
    connection: asyncpg.Connection, record: Record, store: Store, one: Key, channels: frozenset[str]
) -> None:
    """`channels`: those that are on. Raises Refused."""
    classes = await classes_of(record, store, one)
    if classes is None:
        return  # its record was destroyed
    reference = store.reference(one)
    task = await record.read(reference)
    await flags.keep(record, reference, task, classes)
    now = record.now()
    if task is None or standing(task, now) in (Standing.SEEN, Standing.CLOSED) or classes & Class.PROT:
        await outbox.drop(connection, one)
        return
    due = await recipients.to_tell(connection, store, task, now, channels)
    if due:
        await outbox.put_down(connection, one, due, _due(task))


async def classes_of(record: Record, store: Store, one: Key) -> Class | None:
    """What an alert is, for access, as it is stored; None for one of a record that is not there."""
    opened = await store.read(record.caller, one)
    keys = await store.vault.patient_keys(store.database.reading, {one.patient})
    if opened is None or one.patient not in keys:
        return None
    return Class(keys[one.patient].unpermute(opened.row.classes) & int(EVERYTHING))


def _due(task: dict[str, Any]) -> datetime:
    """By when it must be seen; an alert of other software that says no hour waits a day."""
    end = str(((task.get("restriction") or {}).get("period") or {}).get("end", ""))
    if "T" in end and (said := dates.span(end)) is not None:
        return said[0]
    authored = dates.span(str(task["authoredOn"]))
    assert authored is not None, "what is to be told says when it was written"
    return authored[0] + _WAITS
