"""`liaison rules show, check`: the table of who may see what, and what another table would change."""

from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from liaison.auth.access import table_check
from liaison.auth.access.table import in_force, parse
from liaison.services.command import Refused, app

rules = typer.Typer(help="Rules: the table in force, and what another one would change.", no_args_is_help=True)
app.add_typer(rules, name="rules")


@rules.command()
def show() -> None:
    """Print the table in force, as the file: its version and date, then each row."""
    typer.echo(resources.files("liaison.auth.access").joinpath("rules.yaml").read_text("utf-8"), nl=False)


@rules.command()
def check(file: Annotated[Path, typer.Argument(help="A table of rules (YAML).")]) -> None:
    """Name each problem of a table, and each right wider than in the one in force. Changes nothing.

    Exit code 1: the table is not understood, or lacks a row."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise Refused(f"{file} cannot be read as UTF-8 text.") from None
    if wrong := table_check.problems(text):
        for one in wrong:
            typer.echo(one)
        raise typer.Exit(1)
    table = parse(text)
    absent = table_check.missing(in_force(), table)
    for label in absent:
        typer.echo(f"règle {label} : absente")
    wider = table_check.wider(in_force(), table)
    for one in wider:
        typer.echo(f"plus large : {one}")
    typer.echo(f"Version {table.version} du {table.dated} : {len(table.rows)} règles, {len(wider)} droits plus larges.")
    if absent:
        raise typer.Exit(1)
