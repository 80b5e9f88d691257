"""`liaison rights`: the rights that the records give, computed again."""

import asyncio

import typer

from liaison.auth.access.rebuild import rebuild
from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Entry, Event
from liaison.services.command import Refused, app
from liaison.services.command.serve import CANNOT
from liaison.services.house import House
from liaison.services.settings import Settings

rights = typer.Typer(help="Rights: read the facts again and compute every grant anew.", no_args_is_help=True)
app.add_typer(rights, name="rights")


@rights.callback()
def _group() -> None:
    """Keeps `rebuild` a subcommand while it is the only one."""


@rights.command("rebuild")
def rebuild_() -> None:
    """Read every fact again from the resources that state it. The same rows come out; safe while the service serves."""

    async def work() -> int:
        async with House.opened(Settings()) as house:
            await house.journal.record(
                (Entry(Event.RIGHTS, method="console", path="rights rebuild", detail={"act": Act.RIGHTS_COMPUTED}),)
            )
            return await rebuild(house.database.writing, house.vault)

    try:
        typer.echo(f"{asyncio.run(work())} patients: rights computed again.")
    except CANNOT as error:
        raise Refused(str(error)) from None
