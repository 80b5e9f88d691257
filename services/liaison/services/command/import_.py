"""`liaison import`: load records from files. A second run of the same files changes nothing."""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from liaison.auth.access import internal
from liaison.services import base, memory
from liaison.services.command import Refused, app
from liaison.services.command.serve import CANNOT
from liaison.services.house import House
from liaison.services.loading.alone import Busy, alone
from liaison.services.loading.loader import Loader
from liaison.services.loading.loader import Progress as Told
from liaison.services.loading.loads import loads
from liaison.services.loading.member import Order
from liaison.services.loading.report import NAMED, Report
from liaison.services.loading.sources import Unreadable, files, groups
from liaison.services.loading.team import Broken, Team, members
from liaison.services.settings import Settings

LONGEST = timedelta(hours=12)


class Unresolved(StrEnum):
    fail = "fail"
    logical = "logical"


@app.command("import")
def import_(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders: .json, .ndjson, each also as .gz.")],
    unresolved: Annotated[
        Unresolved,
        typer.Option(help="References that lead to nothing: refuse the resource, or keep them as logical references."),
    ] = Unresolved.fail,
    source: Annotated[str, typer.Option(help="Name of the system the files come from; its ids are its own.")] = "files",
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Load FHIR resources and Bundles. Exit code 0: everything is stored; 1: something was refused, the report says what."""
    settings = Settings()
    try:
        memory.settle()  # what the processes of the import are forked with is looked through once
        with Team.started(members(files(paths))) as team, base.standing(settings), contextlib.closing(team):
            report = asyncio.run(run(settings, paths, team, source, logical=unresolved is Unresolved.logical))
    except (Unreadable, Busy, Broken, *CANNOT) as error:
        raise Refused(str(error)) from None
    if as_json:
        print(json.dumps(report.as_json(), ensure_ascii=False))  # noqa: T201  # the command's result
    else:
        show(report)
    if not report.complete:
        if unresolved is Unresolved.fail and not as_json:
            typer.echo("A reference that leads to nothing may be kept by what it says: --unresolved=logical")
        raise typer.Exit(1)


async def run(settings: Settings, paths: list[Path], team: Team, source: str, *, logical: bool) -> Report:
    """Imports as the internal principal 'import', under whose name every access is journaled."""
    async with House.opened(settings) as house, alone(house.database.url, source):
        caller = await internal.open_session(house.database.writing, "import", LONGEST)
        try:
            loader = Loader(house.store, caller, settings.fhir_base, source, logical=logical)
            memory.settle()
            with told() as progress:
                if team.empty:
                    await loader.load(groups(paths), progress)
                else:
                    order = Order(settings, caller, source, logical)
                    await _by_all(team, order, paths, loader, progress)
            return loader.report
        finally:
            await internal.close_session(house.database.writing, caller)


async def _by_all(team: Team, order: Order, paths: list[Path], loader: Loader, progress: Told) -> None:
    started = time.perf_counter()
    later = await team.load(order, loads(paths), loader.report, progress)
    await loader.finish(later)
    loader.report.seconds = time.perf_counter() - started


@contextlib.contextmanager
def told() -> Iterator[Told]:
    """A progress line on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.completed} resources"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("import", total=None)
        yield lambda read: bar.update(task, completed=read)


def show(report: Report) -> None:
    """The report for people."""
    console = Console(file=sys.stdout, highlight=False)
    table = Table("Type", "created", "updated", "unchanged")
    for type_ in sorted(report.created | report.updated | report.unchanged):
        counts = (report.created[type_], report.updated[type_], report.unchanged[type_])
        table.add_row(type_, *(str(count) for count in counts))
    console.print(table)
    rate = report.read / report.seconds if report.seconds else 0
    console.print(f"{report.read} resources read in {report.seconds:.1f} s ({rate:.0f} a second).")
    for type_, count in sorted(report.destroyed.items()):
        console.print(f"Destroyed here, and not stored again: {type_}, {count}.")
    for text, count in report.unmatched.most_common(10):
        console.print(f"Kept as a logical reference, {count} times: {text}", markup=False, soft_wrap=True)
    for where, words in report.doubtful[:NAMED]:
        console.print(f"Stored, but doubtful: {where}: {words}", markup=False, soft_wrap=True)
    if len(report.doubtful) > NAMED:
        console.print(f"… and {len(report.doubtful) - NAMED} more doubtful.")
    for where, reason in report.refused[:NAMED]:
        console.print(f"Not stored: {where}: {reason}", markup=False, soft_wrap=True)
    if len(report.refused) > NAMED:
        console.print(f"… and {len(report.refused) - NAMED} more not stored.")
