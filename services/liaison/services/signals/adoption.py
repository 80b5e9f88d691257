"""Which signals are on, and which classes are computed. What judges a person's state is off in production until the installation has said who decided it, a
named doctor, and why; a new version of its rules has to be adopted anew. In a sandbox all are on.

Source: Regulation (EU) 2017/745, article 2(1) and rule 11: what informs decisions about a person is for whoever answers for it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg

from liaison.fhir.vault import Vault
from liaison.protocols import apply
from liaison.protocols.library import Library
from liaison.protocols.library.source import Tree
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


def decisions(plan: Tree) -> dict[tuple[str, str], str]:
    """What each class is that a protocol computes of a person, by ('bpco#computed', version)."""
    tail = plan["url"].rpartition("/")[2]
    return {(f"{tail}#{name}", str(plan["version"])): told for name, told in apply.decisions(plan).items()}


async def undecided(connection: "asyncpg.Connection | asyncpg.Pool", vault: Vault, plan: Tree) -> frozenset[str]:
    """The classes that this version of a protocol would compute, and that nobody has adopted here."""
    named = decisions(plan)
    if not named or await declared(connection, vault) is Kind.SANDBOX:
        return frozenset()
    return frozenset(name.partition("#")[2] for name, _version in named.keys() - (await adopted(connection)).keys())


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


async def adopt(
    connection: asyncpg.Connection, vault: Vault, name: str, decided_by: str, because: str
) -> tuple[str, str]:
    """Its name and version. Raises NoSuchSignal. Said again, the last decision stands."""
    library = (await in_force(connection, vault)).current()
    among = [name_of(one) for one in known(library) if one.clinical]
    among += [one for plan in library.of_type("PlanDefinition") for one in decisions(plan)]
    found = next((one for one in among if one[0] == name), None)
    if found is None:
        raise NoSuchSignal(name, "no signal or class to be adopted")
    await connection.execute(
        """
        insert into signal_adoption (signal, version, decided_by, because) values ($1, $2, $3, $4)
        on conflict (signal, version) do update set
            decided_by = excluded.decided_by, because = excluded.because, adopted_at = now()
        """,
        *found,
        decided_by,
        because,
    )
    return found


async def withdraw(connection: asyncpg.Connection, name: str) -> None:
    """Raises NoSuchSignal for one that was not adopted."""
    if not await connection.fetchval("delete from signal_adoption where signal = $1 returning true", name):
        raise NoSuchSignal(name, "no signal or class in service")
