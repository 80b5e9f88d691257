"""The settings that decide what the service does, and its version: a change of them is an entry of the journal.

They come from the environment, which nobody signs in to change; so each worker compares them, as it starts, with the last entry
of them. Those of one machine alone (folders, ports, how many processes) are left out: several machines share one journal.
"""

from importlib.metadata import version
from typing import Any, Final

import asyncpg

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.journal.sealing import COLUMNS, Damaged, Record, unseal
from liaison.services.house import House
from liaison.services.settings import Settings

OF_THE_MACHINE: Final = frozenset(
    ("data", "database_url", "key_file", "outside", "host", "port", "workers", "stop_within_seconds", "proxy_socket")
) | {"psc_secret_file"}
"""Where things are, not what is done. A database's address may hold a password."""
PATH: Final = "settings"
_LOCK: Final = 0x5E771265
_LOOKED_AT: Final = 100
_LAST: Final = f"""
select {", ".join(COLUMNS)} from journal_entry where event = $1 order by at desc, worker desc, sequence desc limit {_LOOKED_AT}
"""


def governing(settings: Settings) -> dict[str, Any]:
    told = settings.model_dump(mode="json", exclude=set(OF_THE_MACHINE))
    return {"version": version("liaison"), **told}


async def note(house: House) -> None:
    """Durable before the first request is served. Of workers that start together one writes it."""
    now = governing(house.settings)
    async with house.database.writing.acquire() as connection, connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
        before = await _last(house, connection)
        if before != now:
            changed = sorted(name for name in {*now, *(before or {})} if (before or {}).get(name) != now.get(name))
            detail = {"act": Act.SETTINGS, "settings": now, "changed": changed if before is not None else []}
            told = Entry(Event.CONFIGURATION, method="service", path=PATH, detail=detail)
            await house.journal.record_within(connection, [told])


async def _last(house: House, connection: asyncpg.Connection) -> dict[str, Any] | None:
    """None when there is none, or when it can no longer be read."""
    for row in await connection.fetch(_LAST, int(Event.CONFIGURATION)):
        record = Record(*row)
        try:
            entry = unseal(house.journal_keys, record)
        except (Damaged, KeyError):
            continue
        if entry.path == PATH and entry.detail:
            found: dict[str, Any] = entry.detail["settings"]
            return found
    return None
