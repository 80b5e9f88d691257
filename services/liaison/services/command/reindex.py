"""`liaison reindex`: the search index of what is stored, made anew."""

import asyncio

import typer

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Entry, Event
from liaison.fhir.errors import Conflict
from liaison.fhir.search.index import GENERATION, indexed
from liaison.fhir.store import reindex as passes
from liaison.services.command import Refused, app
from liaison.services.command.import_ import told
from liaison.services.command.serve import CANNOT
from liaison.services.house import House
from liaison.services.planned.keeping import keep_again
from liaison.services.settings import Settings


@app.command()
def reindex() -> None:
    """Make the search index anew after an update. Safe while the service serves; stopped, it goes on where it was."""

    async def work() -> int:
        async with House.opened(Settings()) as house:
            await house.journal.record(
                (Entry(Event.JOB, method="console", path="reindex", detail={"act": Act.INDEXED}),)
            )
            with told() as progress:
                return await passes.reindex(
                    house.database, house.vault, indexed, GENERATION, progress, house.store.parameters, keep_again
                )

    try:
        typer.echo(f"{asyncio.run(work())} resources: the search index is up to date.")
    except Conflict as error:
        raise Refused(f"{error} Let it end.") from None
    except CANNOT as error:
        raise Refused(str(error)) from None
