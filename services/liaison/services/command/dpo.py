"""`liaison dpo papers`: the data protection officer's papers, from what this installation is."""

from pathlib import Path
from typing import Annotated

import typer

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Entry, Event
from liaison.services.command import app
from liaison.services.command.journal_opened import Data, settings_on
from liaison.services.command.within import within
from liaison.services.dpo import told, writing
from liaison.services.house import House

dpo = typer.Typer(help="Papers for the data protection officer.", no_args_is_help=True)
app.add_typer(dpo, name="dpo")


@dpo.callback()
def _group() -> None:
    """Keeps `papers` a subcommand while it is the only one."""


@dpo.command()
def papers(
    into: Annotated[Path, typer.Option(help="The folder to write them to.")] = Path("documents-dpo"),
    data: Data = None,
) -> None:
    """Write the AIPD, the register entry, the convention, the patient's sheet, the poster, the notice to staff and the table of
    periods, in French, as Markdown and HTML. What only people can say is marked « à compléter »."""
    settings = settings_on(data)

    async def work(house: House) -> told.Told:
        await house.journal.record((Entry(Event.JOB, method="console", path="dpo papers", detail={"act": Act.PAPERS}),))
        return await told.gathered(house, settings)

    for path in writing.write(within(work, settings=settings), into):
        typer.echo(str(path))
