"""`liaison dpo papers`: the data protection officer's papers, from what this installation is."""

from pathlib import Path
from typing import Annotated

import typer

from liaison.auth.journal.entry import Entry, Event
from liaison.services.command import app
from liaison.services.command.within import within
from liaison.services.dpo import told, writing
from liaison.services.house import House
from liaison.services.settings import Settings

dpo = typer.Typer(help="Papers for the data protection officer.", no_args_is_help=True)
app.add_typer(dpo, name="dpo")


@dpo.callback()
def _group() -> None:
    """Keeps `papers` a subcommand while it is the only one."""


@dpo.command()
def papers(
    into: Annotated[Path, typer.Option(help="The folder to write them to.")] = Path("documents-dpo"),
) -> None:
    """Write the AIPD, the register entry, the convention, the patient's sheet, the poster, the notice to staff and the table of
    periods, in French, as Markdown and HTML. What only people can say is marked « à compléter »."""

    async def work(house: House) -> told.Told:
        await house.journal.record((Entry(Event.JOB, method="console", path="dpo papers"),))
        return await told.gathered(house, Settings())

    for path in writing.write(within(work), into):
        typer.echo(str(path))
