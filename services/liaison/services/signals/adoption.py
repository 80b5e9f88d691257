"""Which signals are on. One that judges a person's state is off in production until the installation has said who decided it, a
named doctor, and why; a new version of its rules has to be adopted anew. In a sandbox all are on.

Source: Regulation (EU) 2017/745, article 2(1) and rule 11: what informs decisions about a person is for whoever answers for it.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg

from liaison.fhir.vault import Vault
from liaison.protocols.library import Library
from liaison.protocols.signals import Signal, signals
from liaison.services.installation import Kind, declared
from liaison.services.library.published import in_force


class Adopted(NamedTuple):
    """That somebody decided to use a signal, in this version."""

    decided_by: str
    because: str
    at: datetime


class NoSuchSignal(ValueError):
    """There is none of that name; or none that needs to be adopted, or was. The text says so."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"There is {what} called {name}: see liaison protocol signals")


def known(library: Library) -> tuple[Signal, ...]:
    """Those of the latest version of each set of rules."""
    return tuple(signals(library.current().of_type("PlanDefinition")))


def name_of(signal: Signal) -> tuple[str, str]:
    """('heart-failure-signals#weight-gain', version)."""
    url, _hash, action = signal.canonical.partition("#")
    definition, _bar, version = url.partition("|")
    return f"{definition.rpartition('/')[2]}#{action}", version


async def in_use(connection: "asyncpg.Connection | asyncpg.Pool", vault: Vault) -> Sequence[Signal]:
    """Those that are on."""
    there = known(await in_force(connection, vault))
    if await declared(connection, vault) is Kind.SANDBOX:
        return there
    adopted_ = await adopted(connection)
    return [one for one in there if not one.clinical or name_of(one) in adopted_]


async def adopted(connection: "asyncpg.Connection | asyncpg.Pool") -> dict[tuple[str, str], Adopted]:
    rows = await connection.fetch("select signal, version, decided_by, because, adopted_at from signal_adoption")
    return {(row["signal"], row["version"]): Adopted(*list(row)[2:]) for row in rows}


async def adopt(connection: asyncpg.Connection, vault: Vault, name: str, decided_by: str, because: str) -> Signal:
    """Raises NoSuchSignal. Said again, the last decision stands."""
    signal = _clinical(name, known(await in_force(connection, vault)))
    await connection.execute(
        """
        insert into signal_adoption (signal, version, decided_by, because) values ($1, $2, $3, $4)
        on conflict (signal, version) do update set
            decided_by = excluded.decided_by, because = excluded.because, adopted_at = now()
        """,
        *name_of(signal),
        decided_by,
        because,
    )
    return signal


async def withdraw(connection: asyncpg.Connection, name: str) -> None:
    """Raises NoSuchSignal for one that was not adopted."""
    if not await connection.fetchval("delete from signal_adoption where signal = $1 returning true", name):
        raise NoSuchSignal(name, "no signal in service")


def _clinical(name: str, among: Iterable[Signal]) -> Signal:
    found = next((one for one in among if one.clinical and name_of(one)[0] == name), None)
    if found is None:
        raise NoSuchSignal(name, "no signal to be adopted")
    return found
