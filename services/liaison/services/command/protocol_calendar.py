"""`liaison protocol calendar`: how many steps of all plans are late, due, done and excused on a day. Counts alone: nobody is named."""

from collections import Counter
from datetime import date

import typer
from rich.console import Console
from rich.table import Table

from liaison.auth.access import internal
from liaison.auth.journal.entry import entries_for
from liaison.fhir.search.index import GENERATION
from liaison.fhir.store.contract import Answer, Request
from liaison.fhir.store.reindex import how_far
from liaison.protocols.calendar import State
from liaison.services.command import Refused
from liaison.services.command.within import within
from liaison.services.house import House
from liaison.services.pages.clock import PARIS
from liaison.services.planned.asking import steps


def calendar(on: str = typer.Option("", help="The day, as 2026-12-31; today when it is left out.")) -> None:
    """Where the steps of all plans stand: late, due, done, excused."""
    try:
        day = date.fromisoformat(on) if on else None
    except ValueError:
        raise Refused(f"{on!r} is no day: write it as 2026-12-31.", 2) from None

    async def count(house: House) -> tuple[Counter[State], int | None]:
        writing = house.database.writing
        gone_over = await how_far(writing, GENERATION)
        caller = await internal.open_session(writing, "protocols")
        try:
            found = await steps(house.store, caller, day or house.database.clock.now().astimezone(PARIS).date())
            asked = Request("GET", "Task", "_summary=count", b"", {})
            await house.journal.record(entries_for(caller, asked, Answer(200, total=len(found))))
        finally:
            await internal.close_session(writing, caller)
        return Counter(one.state for one in found), gone_over

    counted, gone_over = within(count)
    if gone_over is not None:
        typer.echo(f"Incomplet : après la mise à jour, {gone_over} % des dossiers sont relus.")
    table = Table("Étapes", "Nombre")
    for state in State:
        table.add_row(state.value, str(counted[state]))
    Console().print(table)


COMMANDS = (calendar,)
