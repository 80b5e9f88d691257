"""`liaison journal mandate`: whose auditors read the journal of the whole territory, by which convention (rule 24)."""

import json
from typing import Annotated, Final

import typer

from liaison.auth.access import mandates
from liaison.auth.journal import audit_rights
from liaison.auth.journal.acts import Act
from liaison.auth.journal.audit_rights import Mandate
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.people import notices
from liaison.auth.people.notices import Kind
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key
from liaison.fhir.store.ids import Ids
from liaison.services.command import Refused
from liaison.services.command.journal_opened import Data, Json, settings_on, with_database
from liaison.services.opening import Opening

_IS_THERE: Final = (
    "select exists (select from directory_version where kind = $1 and res = $2 and superseded is null and not deleted)"
)


def mandate(
    organization: Annotated[str, typer.Argument(help="Organization/<id>; without it, the mandates are listed.")] = "",
    convention: Annotated[str, typer.Option(help="Give it, by this act: what the structures agreed, and when.")] = "",
    end: Annotated[bool, typer.Option("--end", help="End it: from the next request on they read their own.")] = False,
    by: Annotated[str, typer.Option(help="The name of whoever decided, and their function.")] = "",
    why: Annotated[str, typer.Option(help="Why it ends, or the reference of the decision.")] = "",
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List whose auditors read the journal of the whole territory, give that mandate by a convention, or end it."""
    if bool(organization) != bool(convention.strip() or end) or (convention and end):
        raise Refused("Give an organisation with --convention, or with --end; or nothing, to list the mandates.", 2)
    if organization and not (by.strip() and (why.strip() or not end)):
        raise Refused("Say --by, who decided; and --why, when it ends.", 2)

    async def work(opened: Opening) -> list[tuple[str, Mandate]]:
        ids = Ids(opened.vault.id_key)
        if organization:
            await _change(opened, ids, organization, convention.strip(), by, why)
        return [
            (f"Organization/{ids.encode(Key(0, kind_of('Organization'), one.organization))}", one)
            for one in await audit_rights.mandates(opened.connection)
        ]

    found = with_database(settings_on(data), work)
    if as_json:
        told = [{"organization": who, "convention": one.convention, "since": f"{one.since:%F}"} for who, one in found]
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for who, one in found:
        typer.echo(f"{who}  since {one.since:%F}  {one.convention}")
    if not found:
        typer.echo("None: auditors read what concerns their own organisation.")


async def _change(opened: Opening, ids: Ids, reference: str, convention: str, by: str, why: str) -> None:
    """With its entry and the notice to the data protection officers, in one transaction."""
    type_, _, id_ = reference.partition("/")
    key = ids.decode(type_, id_) if type_ == "Organization" and id_ else None
    if key is None or not await opened.connection.fetchval(_IS_THERE, key.kind, key.res):
        raise Refused(f"{reference} is no organisation of this base. Give Organization/… with its id.")
    act = Act.MANDATE if convention else Act.MANDATE_ENDED
    journal = await Journal.open(opened.database, opened.journal_keys)
    try:
        async with opened.connection.transaction():
            if convention:
                await mandates.give(opened.connection, opened.vault, key.res, convention)
            elif not await mandates.end(opened.connection, opened.vault, key.res):
                raise Refused(f"{reference} has no mandate.")
            told = Entry(
                Event.RIGHTS, organization=key.res, method="console", path="journal mandate", reason=convention or why,
                detail={"act": act, "by": by},
            )  # fmt: skip
            await notices.tell(opened.connection, Kind.MANDATE, key.res, code="given" if convention else "ended")
            await journal.record_within(opened.connection, [told])
    finally:
        await journal.close()
