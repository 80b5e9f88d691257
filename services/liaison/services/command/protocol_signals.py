"""`liaison protocol signals, adopt, withdraw`: which signals are on here, and who decided it.

A console does not know who types: the doctor who decides is named, and the journal keeps it.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

import asyncpg
import typer
from rich.console import Console
from rich.table import Column, Table

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Entry, Event
from liaison.protocols.signals import Signal
from liaison.services.command import Refused
from liaison.services.command.within import within
from liaison.services.house import House
from liaison.services.library.published import in_force
from liaison.services.signals import adoption
from liaison.services.signals.adoption import Adopted, NoSuchSignal

LONGEST = 300

Name = Annotated[str, typer.Argument(help="As `liaison protocol signals` shows it.")]
By = Annotated[str, typer.Option(help="The doctor who decided, by name and RPPS number.")]
Because = Annotated[
    str, typer.Option(help="The organisation's position, or the reference of its decision. No clinical data.")
]


def signals() -> None:
    """The signals of the library: which are on, and who adopted those that judge a person's state."""

    async def read(house: House) -> tuple[Sequence[Signal], set[tuple[str, str]], dict[tuple[str, str], Adopted]]:
        reading = house.database.reading
        there = adoption.known(await in_force(reading, house.vault))
        on = await adoption.in_use(reading, house.vault)
        return there, {adoption.name_of(one) for one in on}, await adoption.adopted(reading)

    there, on, adopted = within(read)
    table = Table(Column("Signal", no_wrap=True), "Version", "", "Adopté par", "Pourquoi")
    for one in there:
        name, version = adoption.name_of(one)
        decided = adopted.get((name, version))
        state = "en service" if (name, version) in on else "à adopter"
        table.add_row(name, version, state, decided.decided_by if decided else "", decided.because if decided else "")
    Console().print(table)


def adopt(name: Name, by: By = "", because: Because = "") -> None:
    """Put a signal that judges a person's state in service, in the version of the library."""
    who, why = _said(by, "--by"), _said(because, "--because")
    _decide(
        lambda one, house: adoption.adopt(one, house.vault, name, who, why), name, why, act=Act.SIGNAL_ADOPTED, by=who
    )
    typer.echo(f"{name} : en service.")


def withdraw(name: Name, because: Because = "") -> None:
    """Take a signal out of service. Alerts that it raised stay."""
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
