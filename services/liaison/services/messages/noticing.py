"""Which alerts changed: noted in the transaction that changes them, whoever writes, so that none is passed over whatever dies.

What is to be done of it is done later, and again if it was cut short (following): nothing here reads or sends.
"""

from collections.abc import Sequence

import asyncpg

from liaison.fhir.store.contract import Key, Unit
from liaison.protocols.alerts import level_of
from liaison.services.signals.watching import Watching


class Noticing(Watching):
    """The hooks of the rights, the journal and the signals, and after them the list of alerts that changed."""

    async def after_write(self, connection: asyncpg.Connection, units: Sequence[Unit]) -> None:
        await super().after_write(connection, units)
        changes = [change for unit in units for change in unit.changes if change.type_ == "Task"]
        await note(connection, [one.key for one in changes if level_of(one.tree or one.before or {})])


async def note(connection: asyncpg.Connection, alerts: Sequence[Key]) -> None:
    if alerts:
        await connection.executemany(
            "insert into alert_change (patient, res) values ($1, $2)"
            " on conflict (patient, res) do update set changed_at = clock_timestamp()",
            [(one.patient, one.res) for one in alerts],
        )
