"""`liaison journal generate`: a long journal of invented acts, for benchmarks."""

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event
from liaison.auth.journal.generating import Busy, NobodyThere
from liaison.auth.journal.generating import generate as write_acts
from liaison.services.command import Refused
from liaison.services.command.journal_opened import Data, note, settings_on, with_database
from liaison.services.custody import papers
from liaison.services.installation import Kind, declared
from liaison.services.opening import Opening


def generate(
    entries: Annotated[int, typer.Option(min=1, max=100_000_000, help="How many entries.")] = 1_000_000,
    months: Annotated[int, typer.Option(min=1, max=240, help="Over how many months, up to now.")] = 24,
    data: Data = None,
) -> None:
    """Fill the journal with invented acts, to measure on a long one. Refused on a base for real people, and for good.

    Nothing tells these entries from those of real acts; the service must be stopped."""
    settings = settings_on(data)
    if papers.read(settings.data) is not None:
        raise Refused(f"{settings.data} is an installation for real people: no act is invented in its journal.")

    async def work(opened: Opening) -> int:
        if await declared(opened.connection, opened.vault) is Kind.PRODUCTION:
            raise Refused("This base is one for real people: no act is invented in its journal.")
        await note(opened, Event.JOB, Act.GENERATED, f"journal generate {entries}")
        columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
            task = bar.add_task("entries", total=entries)
            return await write_acts(
                opened.connection, opened.journal_keys, entries, months, lambda done: bar.update(task, completed=done)
            )

    try:
        written = with_database(settings, work)
    except NobodyThere:
        raise Refused("There is nobody with a role, or no record: import some first (liaison import).") from None
    except Busy:
        raise Refused("A service runs on this base: stop it first.") from None
    typer.echo(f"{written} entries written and integrated.")
