"""`liaison protocol signals, adopt, withdraw`: which signals are on here, and who decided it.

A console does not know who types: the doctor who decides is named, and the journal keeps it.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

import asyncpg
import typer
from rich.console import Console
from rich.table import Column, Table

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Entry, Event
from liaison.services.command import Refused
from liaison.services.command.within import within
from liaison.services.house import House
from liaison.services.library.published import in_force
from liaison.services.signals import adoption
from liaison.services.signals.adoption import Adopted, NoSuchSignal

LONGEST = 300
Named = tuple[str, str]
"""Name and version."""

Name = Annotated[str, typer.Argument(help="As `liaison protocol signals` shows it.")]
By = Annotated[str, typer.Option(help="The doctor who decided, by name and RPPS number.")]
Because = Annotated[
    str, typer.Option(help="The organisation's position, or the reference of its decision. No clinical data.")
]


def signals() -> None:
    """Signals, and classes that protocols compute: which are on, and who adopted those that judge a person's state."""

    async def read(house: House) -> tuple[dict[Named, bool], dict[Named, Adopted]]:
        reading = house.database.reading
        library = (await in_force(reading, house.vault)).current()
        on = {adoption.name_of(one) for one in await adoption.in_use(reading, house.vault)}
        there = {adoption.name_of(one): adoption.name_of(one) in on for one in adoption.known(library)}
        for plan in library.of_type("PlanDefinition"):
            off = await adoption.undecided(reading, house.vault, plan)
            there |= {one: one[0].partition("#")[2] not in off for one in adoption.decisions(plan)}
        return there, await adoption.adopted(reading)

    there, adopted = within(read)
    table = Table(Column("Signal", no_wrap=True), "Version", "", "Adopté par", "Pourquoi")
    for (name, version), on in there.items():
        decided = adopted.get((name, version))
        state = "en service" if on else "à adopter"
        table.add_row(name, version, state, decided.decided_by if decided else "", decided.because if decided else "")
    Console().print(table)


def adopt(name: Name, by: By = "", because: Because = "") -> None:
    """Put a signal or class that judges a person's state in service, in the version in force."""
    who, why = _said(by, "--by"), _said(because, "--because")
    _decide(
        lambda one, house: adoption.adopt(one, house.vault, name, who, why), name, why, act=Act.SIGNAL_ADOPTED, by=who
    )
    typer.echo(f"{name} : en service.")


def withdraw(name: Name, because: Because = "") -> None:
    """Take a signal or class out of service. Alerts that it raised, and plans made with it, stay."""
    why = _said(because, "--because")
    _decide(lambda one, _: adoption.withdraw(one, name), name, why, act=Act.SIGNAL_WITHDRAWN)
    typer.echo(f"{name} : hors service.")


COMMANDS = (signals, adopt, withdraw)


def _said(text: str, option: str) -> str:
    said = text.strip()
    if not said or len(said) > LONGEST:
        raise Refused(f"A signal comes and goes by a decision: say {option}, in at most {LONGEST} characters.", 2)
    return said


def _decide(
    change: Callable[[asyncpg.Connection, House], Awaitable[object]], name: str, why: str, **detail: str
) -> None:
    """In one transaction with its entry of the journal."""

    async def work(house: House) -> None:
        async with house.database.writing.acquire() as one, one.transaction():
            await change(one, house)
            told = Entry(
                Event.CONFIGURATION,
                method="console",
                path="protocol signals",
                reason=why,
                detail={"signal": name, **detail},
            )
            await house.journal.record_within(one, (told,))

    within(work, NoSuchSignal)
