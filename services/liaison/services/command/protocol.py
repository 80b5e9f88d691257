"""`liaison protocol`: the library of protocols, checked and listed."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from liaison.fhir.model import validate
from liaison.protocols import library
from liaison.protocols.library.source import Malformed
from liaison.services.command import Refused, app
from liaison.services.command.protocol_signals import COMMANDS

protocol = typer.Typer(no_args_is_help=True, help="The library of chronic-disease protocols, written as FHIR in YAML.")
app.add_typer(protocol, name="protocol")

Folder = Annotated[
    Path,
    typer.Option("--library", exists=True, file_okay=False, help="A folder of protocols; the shipped one otherwise."),
]


def _load(folder: Path) -> library.Library:
    try:
        return library.load(folder)
    except Malformed as error:
        raise Refused(str(error)) from None


@protocol.command()
def check(folder: Folder = library.FOLDER) -> None:
    """Report every problem with its file and line; nothing is changed. Exit code 1 when there is one."""
    found = _load(folder)
    problems = library.check(found, validate)
    for problem in problems:
        typer.echo(str(problem))
    if problems:
        raise Refused(f"{len(problems)} problems in {folder}.")
    typer.echo(f"{len(found.sources)} resources, no problem.")


@protocol.command("list")
def list_(folder: Folder = library.FOLDER) -> None:
    """The protocols of the library: title, version, owner, date of the next review."""
    table = Table("Protocole", "Version", "Responsable", "Relu le", "Valable jusqu'au")
    for plan in _load(folder).of_type("PlanDefinition"):
        owner = ", ".join(contact.get("name", "") for contact in plan.get("contact", ()))
        until = plan.get("effectivePeriod", {}).get("end", "")
        table.add_row(plan["title"], plan["version"], owner, plan.get("lastReviewDate", ""), until)
    Console().print(table)


for command in COMMANDS:
    protocol.command()(command)
