"""`liaison journal expire`: destroys the keys of the months that have been kept as long as was decided."""

import json
from typing import Annotated, Any

import typer

from liaison.auth.journal import expiry
from liaison.auth.journal.acts import Act
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.journal.expiry import Due
from liaison.services.command import Refused
from liaison.services.command.journal_opened import Data, Json, settings_on, with_database
from liaison.services.custody import papers
from liaison.services.opening import Opening


def expire(
    destroy: Annotated[bool, typer.Option("--destroy", help="Really destroy. Without it nothing is changed.")] = False,
    by: Annotated[str, typer.Option(help="The name of whoever decided, and their function.")] = "",
    why: Annotated[str, typer.Option(help="The reason, or the reference of the decision.")] = "",
    confirm: Annotated[int | None, typer.Option(help="How many months, instead of being asked.")] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the months kept for longer than `liaison init` was told, and with --destroy end what their entries say, for good.

    The entries and every proof stay valid. Backups made before hold the keys until they are deleted."""
    if destroy and not (by.strip() and why.strip()):
        raise Refused("Destroying keys needs --by and --why: who decided, and by which decision.", 2)
    settings = settings_on(data)
    known = papers.read(settings.data)
    years = known.journal_years if known else expiry.YEARS

    async def look(opened: Opening) -> list[Due]:
        return await expiry.due(opened.connection, opened.database.clock.now(), years)

    found = with_database(settings, look)
    if as_json:
        typer.echo(json.dumps({"years": years, "due": [one._asdict() for one in found], "dry": not destroy}))
    else:
        typer.echo(f"Kept {years} years. Months to end: {len(found)}.")
        for one in found:
            typer.echo(f"  {one.month}  {one.entries} entries")
    if not destroy or not found:
        return
    asked = f"The keys of {len(found)} months will be destroyed for good. Type their number to go on"
    if (typer.prompt(asked, type=int, err=True) if confirm is None else confirm) != len(found):
        raise Refused(f"Not confirmed: {len(found)} months are due. Nothing was destroyed.")

    async def carry(opened: Opening) -> None:
        detail: dict[str, Any] = {"act": Act.MONTHS_DESTROYED, "months": [one.generation for one in found], "by": by}
        journal = await Journal.open(opened.database, opened.journal_keys)
        try:
            async with opened.connection.transaction():
                await expiry.destroy(opened.connection, found)
                entry = Entry(Event.KEYS, method="console", path="journal expire", reason=why, detail=detail)
                await journal.record_within(opened.connection, [entry])
        finally:
            await journal.close()

    with_database(settings, carry)
    if not as_json:
        typer.echo(f"Destroyed: {len(found)}. Their entries are no longer read; their proofs stay valid.")
