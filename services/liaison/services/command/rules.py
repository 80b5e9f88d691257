"""`liaison rules show, check`: the table of who may see what, and what another table would change."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import asyncpg
import typer

from liaison.auth.access import adopted, table_check
from liaison.auth.access.table import Table, packaged, packaged_text, parse
from liaison.fhir.store.database import check_schema, connection
from liaison.services import base
from liaison.services.command import Refused, app
from liaison.services.command.serve import CANNOT
from liaison.services.settings import Settings

T = TypeVar("T")

rules = typer.Typer(help="Rules: the table in force, and what another one would change.", no_args_is_help=True)
app.add_typer(rules, name="rules")

File = Annotated[Path, typer.Argument(help="A table of rules (YAML).")]


@rules.command()
def show() -> None:
    """Print the table in force, as the file: its version and date, then each row. Before an installation: the packaged one."""

    async def text(one: asyncpg.Connection) -> str:
        return await adopted.text_of(one, (await adopted.current(one)).digest)

    typer.echo(_asked(text, packaged_text), nl=False)


@rules.command()
def check(file: File) -> None:
    """Name each problem of a table, and each right wider than in the one in force. Changes nothing.

    Exit code 1: the table is not understood, or lacks a row."""
    before = _asked(adopted.in_force, packaged)
    _, table = understood(file)
    absent = table_check.missing(before, table)
    for label in absent:
        typer.echo(f"règle {label} : absente")
    wider = table_check.wider(before, table)
    for one in wider:
        typer.echo(f"plus large : {one}")
    typer.echo(f"Version {table.version} du {table.dated} : {len(table.rows)} règles, {len(wider)} droits plus larges.")
    if absent:
        raise typer.Exit(1)


def understood(file: Path) -> tuple[str, Table]:
    """The text and the table. Prints each problem and ends where there is one."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise Refused(f"{file} cannot be read as UTF-8 text.") from None
    if wrong := table_check.problems(text):
        for one in wrong:
            typer.echo(one)
        raise typer.Exit(1)
    return text, parse(text)


def _asked(question: Callable[[asyncpg.Connection], Awaitable[T]], otherwise: Callable[[], T]) -> T:
    """The answer of the base; where none was founded, what holds before there is one."""
    settings = Settings()
    if not settings.database_url and not (base.folder(settings) / "cluster").exists():
        return otherwise()

    async def ask() -> T:
        url = base.url(settings)
        await check_schema(url)
        one = await connection(url)
        try:
            return await question(one)
        finally:
            await one.close()

    try:
        with base.running(settings):
            return asyncio.run(ask())
    except CANNOT as error:
        raise Refused(str(error)) from None
