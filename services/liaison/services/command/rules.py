"""`liaison rules show, check` (and adopt, withdraw: rules_adopt): the table of who may see what, and another one."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import asyncpg
import typer

from liaison.auth.access import adopted, adopting, class_check, class_text, table_check
from liaison.auth.access.adopted import Reign
from liaison.auth.access.table import BadTable, Table, packaged, packaged_text, parse
from liaison.fhir.store.database import check_schema, connection
from liaison.services import base
from liaison.services.command import Refused, app, rules_adopt
from liaison.services.command.serve import CANNOT
from liaison.services.settings import Settings

T = TypeVar("T")

rules = typer.Typer(help="Rules: the table in force, and what another one would change.", no_args_is_help=True)
app.add_typer(rules, name="rules")
for _command in rules_adopt.COMMANDS:
    rules.command()(_command)

File = Annotated[Path, typer.Argument(help="A table of rules, or a classification (YAML).")]


@rules.command()
def show(
    number: Annotated[int | None, typer.Option(help="The number of an earlier decision: its table.")] = None,
    classes: Annotated[
        bool, typer.Option("--classes", help="The classification (what is sensitive, what is coordination).")
    ] = False,
) -> None:
    """Print the table in force, or the classification, as the file. Before an installation: the packaged one.

    Which one it is, is said beside it (on the error output), so that what is printed can be changed and adopted."""

    async def text(one: asyncpg.Connection) -> tuple[str, list[str]]:
        known = await adopted.reigns(one)
        found = [reign for reign in known if number is None or reign.number == number]
        if not found:
            raise Refused(f"Il n'y a pas de décision n° {number} : {', '.join(str(reign.number) for reign in known)}.")
        if classes:
            return await adopted.classification(one, found[-1].classes), []
        return await adopted.text_of(one, found[-1].digest), _said(found[-1])

    packaged_one = class_text.packaged_text() if classes else packaged_text()
    shown, said = _asked(text, lambda: (packaged_one, ["Aucune base ici : ce qui est livré avec le logiciel."]))
    typer.echo(shown, nl=False)
    for one in said:
        typer.echo(one, err=True)


def _said(reign: Reign) -> list[str]:
    said = [f"Entrée en vigueur le {reign.since:%d/%m/%Y} (décision n° {reign.number})."] if reign.since else []
    if not reign.digest:
        said.append("C'est la table livrée avec le logiciel.")
    elif newer := adopted.newer_packaged(reign):
        said.append(f"Le logiciel en livre une plus récente : version {newer.version} du {newer.dated}.")
    return said


@rules.command()
def check(file: File) -> None:
    """Name each problem of a table or classification, and what it changes of the one in force. Changes nothing.

    Exit code 1: it could not be adopted. It is not understood, lacks a row, locks people out, gives what the law
    forbids, or bears a date to come (by the clock of the base, where there is one)."""
    text = rules_adopt.read_table(file)
    if class_check.is_one(text):
        _check_classes(text)
        return
    table = parse(text)

    async def known(one: asyncpg.Connection) -> tuple[Table, list[str]]:
        return await adopted.in_force(one), table_check.to_come(table, await adopting.today(one))

    before, wrong = _asked(known, lambda: (packaged(), []))  # without a base there is no day to compare with
    if wrong:
        rules_adopt.refuse(wrong)
    wider, narrower = table_check.wider(before, table), table_check.narrower(before, table)
    for one in wider:
        typer.echo(f"plus large : {one}")
    for one in narrower:
        typer.echo(f"plus étroit : {one}")
    typer.echo(
        f"Version {table.version} du {table.dated} : {len(table.rows)} règles. Droits plus larges : {len(wider)} ;"
        f" plus étroits : {len(narrower)}."
    )


def _check_classes(text: str) -> None:
    async def known(one: asyncpg.Connection) -> tuple[str, list[str]]:
        now = await adopted.current(one)
        late = table_check.to_come(class_text.parse(text), await adopting.today(one), "le classement")
        return await adopted.classification(one, now.classes), late

    before, wrong = _asked(known, lambda: (class_text.packaged_text(), []))
    if wrong:
        rules_adopt.refuse(wrong)
    rules_adopt.show_differences(before, text)
    typer.echo(f"Classement, {class_check.said(text)}.")


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
        with base.standing(settings):
            return asyncio.run(ask())
    except BadTable as error:
        raise Refused(f"The table in force is not understood by this version: {error}.") from None
    except CANNOT as error:
        raise Refused(str(error)) from None
