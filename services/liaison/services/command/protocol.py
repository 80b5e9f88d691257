"""`liaison protocol`: the library of protocols, checked, listed and published."""

import typer
from rich.console import Console
from rich.table import Table

from liaison.fhir.model import validate
from liaison.protocols import library
from liaison.protocols.library.pinning import open_names
from liaison.services.command import Refused, app, protocol_calendar, protocol_publish, protocol_signals
from liaison.services.command.protocol_publish import Folder, load
from liaison.services.library.publishing import ROLE_CODES

protocol = typer.Typer(no_args_is_help=True, help="The library of chronic-disease protocols, written as FHIR in YAML.")
app.add_typer(protocol, name="protocol")


@protocol.command()
def check(folder: Folder = library.FOLDER) -> None:
    """Report every problem with its file and line, exit code 1 when there is one; and which definitions are named without a version.
    Nothing is changed."""
    found = load(folder)
    problems = library.check(found, validate, beside=library.shipped(), roles=ROLE_CODES)
    for problem in problems:
        typer.echo(str(problem))
    if problems:
        raise Refused(f"{len(problems)} problems in {folder}.")
    for source in found:
        for path, canonical, version in open_names(source, found, library.shipped()):
            said = f"{canonical} has no version: published now, it is {version} for good"
            typer.echo(str(source.problem(path, said)))
    typer.echo(f"{len(found.sources)} resources, no problem.")


@protocol.command("list")
def list_(folder: Folder = library.FOLDER) -> None:
    """The protocols of the library: title, version, owner, date of the next review."""
    table = Table("Protocole", "Version", "Responsable", "Relu le", "Valable jusqu'au")
    for plan in load(folder).of_type("PlanDefinition"):
        owner = ", ".join(contact.get("name", "") for contact in plan.get("contact", ()))
        until = plan.get("effectivePeriod", {}).get("end", "")
        told = (str(plan.get(name, "")) for name in ("title", "version"))
        table.add_row(*told, owner, plan.get("lastReviewDate", ""), until)
    Console().print(table)


for command in (*protocol_publish.COMMANDS, *protocol_signals.COMMANDS, *protocol_calendar.COMMANDS):
    protocol.command()(command)
