"""`liaison rules adopt, withdraw`: another table of rules in force, or another classification, or what was before again, while
the service serves.

What changes is shown before it is asked for. A console does not know who types: whoever decides is named, the journal
keeps it, and the data protection officer is told (/avis).
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Annotated, NamedTuple, NoReturn, TypeVar

import asyncpg
import typer
from rich.console import Console

from liaison.auth.access import adopted, adopting, class_check, regranting, table_check
from liaison.auth.access.adopting import Act as Adopted
from liaison.auth.access.adopting import Decision, NotAdopted
from liaison.auth.access.table import BadTable, Table, packaged, parse
from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Entry, Event
from liaison.fhir.store.database import connection
from liaison.services import base
from liaison.services.command import Refused
from liaison.services.command.within import within
from liaison.services.house import House
from liaison.services.jobs.regranting import regrant
from liaison.services.settings import Settings

T = TypeVar("T")
WATCH_SECONDS = 0.5

File = Annotated[Path | None, typer.Argument(help="A table of rules, or a classification (YAML).")]
By = Annotated[str, typer.Option(help="The name of whoever decided, and their function.")]
Because = Annotated[str, typer.Option(help="The reason, or the reference of the decision. No clinical data.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask again.")]


class _Seen(NamedTuple):
    """What was in force when the change was shown; `table` None where this version does not understand it, `earlier` where
    there is nothing to go back to: a table, and the text of a classification."""

    number: int
    table: Table | None
    classes: str
    earlier: tuple[Table, str] | None
    records: int


def adopt(
    file: File = None,
    because: Because = "",
    by: By = "",
    yes: Yes = False,
    go_on: Annotated[bool, typer.Option("--continue", help="Only carry on with the grants.")] = False,
) -> None:
    """Put a table, or a classification, in force. Says what it changes, asks, then computes the rights of every record again.

    The service may run: each of its workers goes by the new table from its next transaction on. Stopped half way, it goes
    on when the service runs, or with --continue."""
    if go_on:
        _carried()
        return
    if file is None:
        raise Refused("Which table? liaison rules adopt FILE --by … --because …", 2)
    text = read_table(file)
    decided = _decided(by, because)
    with _running():
        _adopt(text, decided, yes=yes)


def _adopt(text: str, decided: Decision, *, yes: bool) -> None:
    seen = _within(lambda house: _look(house, back=False))
    if class_check.is_one(text):
        _show_classes(seen, text)
        _asked("Mettre ce classement en vigueur ?", yes)
    else:
        _show(seen, parse(text))
        _asked("Mettre cette table en vigueur ?", yes)
    act = _within(
        lambda house: _done(house, Act.RULES_ADOPTED, decided, lambda one: adopting.adopt(one, house.vault, text, decided, seen.number))
    )  # fmt: skip
    _say(act, _carried())


def withdraw(because: Because = "", by: By = "", yes: Yes = False) -> None:
    """Go back to what was in force before the last adoption, a table or a classification, by the same steps."""
    decided = _decided(by, because)
    with _running():
        _withdraw(decided, yes=yes)


def _withdraw(decided: Decision, *, yes: bool) -> None:
    seen = _within(lambda house: _look(house, back=True))
    if seen.earlier is None:
        raise Refused("La table livrée avec le logiciel est en vigueur : il n'y a rien à retirer.")
    table, classes = seen.earlier
    if classes != seen.classes:
        _show_classes(seen, classes)
        _asked("Revenir à ce classement ?", yes)
    else:
        _show(seen, table)
        _asked("Revenir à cette table ?", yes)
    act = _within(
        lambda house: _done(house, Act.RULES_WITHDRAWN, decided, lambda one: adopting.withdraw(one, house.vault, decided, seen.number))
    )  # fmt: skip
    _say(act, _carried())


COMMANDS = (adopt, withdraw)


def read_table(file: Path) -> str:
    """The text of a table or classification that may come into force. Prints each reason why it may not, and ends where there is
    one."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise Refused(f"{file} cannot be read as UTF-8 text.") from None
    if wrong := (class_check if class_check.is_one(text) else table_check).refusals(text):
        refuse(wrong)
    return text


def refuse(wrong: list[str]) -> NoReturn:
    for one in wrong:
        typer.echo(one)
    raise typer.Exit(1)


def _decided(by: str, because: str) -> Decision:
    if not by.strip() or not because.strip():
        raise Refused("Rules change by a decision: --by names who took it, --because says why.", 2)
    return Decision(by.strip(), because.strip())


@contextlib.contextmanager
def _running() -> Iterator[None]:
    """The database for all the steps: where no service has it, it is started and stopped once."""
    try:
        with base.standing(Settings()):
            yield
    except base.NoDatabase as error:
        raise Refused(str(error)) from None


def _within(work: Callable[[House], Awaitable[T]]) -> T:
    return within(work, NotAdopted, BadTable)


async def _look(house: House, *, back: bool) -> _Seen:
    reading = house.database
    now = await adopted.current(reading)
    try:
        table: Table | None = await adopted.in_force(reading)
    except BadTable:
        table = None
    [[records]] = await reading.fetch("select count(*) from patient where state = 0")
    earlier = await adopting.returns_to(reading, now.number) if back else None
    classes = await adopted.classification(reading, now.classes)
    return _Seen(now.number, table, classes, earlier, records)


def _show(seen: _Seen, after: Table) -> None:
    before = seen.table or packaged()
    if seen.table is None:
        typer.echo("La table en vigueur n'est pas comprise par ce logiciel : comparaison avec celle qu'il livre.")
    typer.echo(f"De la version {before.version} du {before.dated} à la version {after.version} du {after.dated}.")
    wider, narrower = table_check.wider(before, after), table_check.narrower(before, after)
    for one in wider:
        typer.echo(f"plus large : {one}")
    for one in narrower:
        typer.echo(f"plus étroit : {one}")
    typer.echo(f"Droits plus larges : {len(wider)} ; plus étroits : {len(narrower)}. Dossiers : {seen.records}.")


def _show_classes(seen: _Seen, after: str) -> None:
    typer.echo(f"Du classement {class_check.said(seen.classes)} au classement {class_check.said(after)}.")
    show_differences(seen.classes, after)
    typer.echo(f"Chaque élément de chaque dossier est relu. Dossiers : {seen.records}.")


def show_differences(before: str, after: str) -> None:
    found = class_check.changes(before, after)
    for one in found:
        typer.echo(f"{one.said} (ouvre davantage)" if one.opens and one.said.startswith("change") else one.said)
    typer.echo(f"Changements : {len(found)}, dont {sum(one.opens for one in found)} qui ouvrent davantage.")


def _asked(question: str, yes: bool) -> None:
    said = "oui" if yes else typer.prompt(f"{question} oui / non", default="non", show_default=False, err=True)
    if said.strip().lower() not in ("oui", "o", "yes", "y"):
        raise Refused("Rien n'est changé.")


async def _done(
    house: House, what: Act, decided: Decision, act: Callable[[asyncpg.Connection], Awaitable[Adopted]]
) -> Adopted:
    """The act and its entry in the journal, in one transaction."""
    async with house.database.writing.acquire() as one, one.transaction():
        done = await act(one)
        detail = {"act": what, "number": done.number, "version": done.version, "by": decided.by}
        detail["digest"] = done.digest or ("" if done.classes else adopted.packaged_digest())
        detail |= {"of": "classification"} if done.classes else {}
        told = Entry(Event.RIGHTS, method="console", path=what.value, reason=decided.because, detail=detail)
        await house.journal.record_within(one, [told])
        return done


def _carried() -> int:
    """Until every record is granted by the table in force: carried here, or by the service that runs, and then watched.
    The number of records in force."""

    async def carry(house: House) -> int:
        one = await connection(house.database.url)
        try:
            with _progress() as progress:
                while (place := await regranting.under_way(one)) is not None:
                    progress(place)
                    if await one.fetchval("select pg_try_advisory_lock($1)", regranting.LOCK):
                        await regrant(one, house.vault, house.journal, progress)
                    else:
                        await asyncio.sleep(WATCH_SECONDS)
            count: int = await one.fetchval("select count(*) from patient where state = 0")
            return count
        finally:
            await one.close()

    return _within(carry)


@contextlib.contextmanager
def _progress() -> Iterator[regranting.Progress]:
    with Console(stderr=True).status("Droits : …") as status:
        yield lambda place: status.update(f"Droits recalculés : {place.done} dossiers sur {place.total}")


def _say(act: Adopted, records: int) -> None:
    what = "classement, " if act.classes else ""
    typer.echo(f"En vigueur : {what}version {act.version} du {act.dated} (décision n° {act.number}).")
    typer.echo(
        f"Dossiers dont les droits sont ceux de {'ce classement' if act.classes else 'cette table'} : {records}."
    )
