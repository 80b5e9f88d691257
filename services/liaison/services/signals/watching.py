"""Whose record has signals: kept in the transaction that writes a CarePlan, so that nothing of it depends on a job.

When rules are published, everybody with a plan is put on the list once: plans were written before their protocol had signals.
Who turns out to have none is taken off it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.access.hooks import Hooks
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Change, Key, Unit
from liaison.fhir.store.ids import Ids
from liaison.protocols.signals import Signal, watching
from liaison.services.library.immutable import refuse_changes
from liaison.services.library.published import in_force
from liaison.services.signals import adoption

_PATIENT: Final = kind_of("Patient")
KINDS: Final = (kind_of("Observation"), kind_of("CarePlan"))
"""What is looked at again when it changes."""


class Watching(Hooks):
    """The hooks of the rights and the journal; with them, what was published stays as it is, and after them the list of those
    whose plans have signals."""

    async def before_write(self, connection: asyncpg.Connection, units: Sequence[Unit]) -> None:
        await super().before_write(connection, units)
        await refuse_changes(connection, self._ids, units)

    async def after_write(self, connection: asyncpg.Connection, units: Sequence[Unit]) -> None:
        await super().after_write(connection, units)
        plans = [change for unit in units for change in unit.changes if change.type_ == "CarePlan"]
        if plans:
            library = await in_force(connection, self._vault)
            await _watch(connection, self._ids, plans, adoption.known(library))


async def _watch(connection: asyncpg.Connection, ids: Ids, plans: Sequence[Change], known: Sequence[Signal]) -> None:
    rows = []
    for change in plans:
        if change.tree is None or not watching(known, [change.tree]):
            continue
        type_, _slash, id_ = str((change.tree.get("subject") or {}).get("reference", "")).partition("/")
        key = ids.decode(type_, id_) if type_ == "Patient" else None
        if key is not None and key.patient == change.key.patient:
            rows.append((key.patient, key.res))
    await connection.executemany(
        "insert into signal_watch (patient, res) values ($1, $2) on conflict (patient) do update set res = excluded.res",
        rows,
    )


class Progress(NamedTuple):
    """Measures were looked at up to `until`; at `asked_at` it was last asked what stays away."""

    until: datetime
    asked_at: datetime


async def progress(connection: asyncpg.Connection, now: datetime) -> Progress:
    """How far it was gone. A base that never was gone over begins now: what was there before is nobody's news."""
    [row] = await connection.fetch(
        """
        with begun as (
            insert into signal_pass (signal_pass, until, asked_at) values (0, $1, $1) on conflict do nothing
            returning until, asked_at
        )
        select until, asked_at from begun union all select until, asked_at from signal_pass where signal_pass = 0
        """,
        now,
    )
    return Progress(*row)


async def gone(connection: asyncpg.Connection, done: Progress) -> None:
    await connection.execute(
        "update signal_pass set until = $1, asked_at = $2 where signal_pass = 0", done.until, done.asked_at
    )


async def changed(connection: asyncpg.Connection, since: datetime, until: datetime) -> list[Key]:
    """The watched Patients whose record has something new of KINDS from `since` on and before `until`."""
    rows = await connection.fetch(
        """
        select w.patient, w.res from signal_watch w
        where exists (
            select from version v where v.patient = w.patient and v.kind = any ($1) and v.at >= $2 and v.at < $3
        )
        """,
        KINDS,
        since,
        until,
    )
    return [Key(row["patient"], _PATIENT, row["res"]) for row in rows]


async def published_since(connection: asyncpg.Connection, since: datetime) -> bool:
    """Whether something was published after that moment, which is when it was last asked what stays away."""
    found: bool = await connection.fetchval("select exists (select from published_definition where at >= $1)", since)
    return found


async def catch_up(connection: asyncpg.Connection) -> None:
    """Everybody with a plan is watched. Whose plans have no signal is forgotten when their record is looked at."""
    await connection.execute(
        """
        insert into signal_watch (patient, res)
        select distinct on (p.patient) p.patient, p.res from version p
        where p.kind = $1 and exists (select from version c where c.patient = p.patient and c.kind = $2)
        order by p.patient, p.res
        on conflict (patient) do nothing
        """,
        _PATIENT,
        kind_of("CarePlan"),
    )


async def everybody(connection: asyncpg.Connection) -> list[Key]:
    rows = await connection.fetch("select patient, res from signal_watch")
    return [Key(row["patient"], _PATIENT, row["res"]) for row in rows]


async def forget(connection: asyncpg.Connection, patient: Key, until: datetime) -> None:
    """Nothing of this record had a signal when it was looked at, after the horizon `until`. A plan that was written since
    keeps it on the list: who writes one holds the row until it can be seen."""
    async with connection.transaction():
        await connection.execute("select from signal_watch where patient = $1 for update", patient.patient)
        await connection.execute(
            """
            delete from signal_watch w where w.patient = $1 and not exists (
                select from version v where v.patient = $1 and v.kind = $2 and v.at >= $3
            )
            """,
            patient.patient,
            KINDS[1],
            until,
        )
