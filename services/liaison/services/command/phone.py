"""`liaison phone`: the phones on which PINs work, for an administrator at the console.

A phone is added from itself, by the manager who holds it (« Téléphones du service »): the secret is given to that phone
alone, and no command can give it.
"""

import json
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.people import accounts, phones
from liaison.auth.people.phones import Phone
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key
from liaison.services.command import Refused, app
from liaison.services.command.client import carry_out
from liaison.services.command.user_recovery import changing
from liaison.services.house import House
from liaison.services.settings import Settings

phone = typer.Typer(help="The phones of services, on which a PIN works.", no_args_is_help=True)
app.add_typer(phone, name="phone")


@phone.command("list")
def list_(
    organization: Annotated[str, typer.Option(help="Of this one alone: Organization/<id>.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """All phones, those that were ended too, with the number by which `phone end` names one."""

    async def work() -> list[dict[str, Any]]:
        async with House.opened(Settings()) as house:
            if organization:
                found = await phones.of_organization(house.database.reading, _organization(house, organization))
            else:
                found = await phones.every(house.database.reading)
            names = {one.number: one.username for one in await accounts.every(house.database.reading)}
            return [_told(house, one, names.get(one.enrolled_by, "")) for one in found]

    found = carry_out(work())
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    table = Table("number", "phone", "organization", "state", "added", "by")
    for one in found:
        state = "in force" if one["active"] else "ended"
        table.add_row(one["number"], one["label"], one["organization"], state, one["added"][:10], one["by"])
    Console().print(table)


def _organization(house: House, reference: str) -> int:
    type_, _, id_ = reference.partition("/")
    key = house.store.key(type_, id_) if type_ == "Organization" and id_ else None
    if key is None:
        raise Refused(f"{reference} is no organisation of this base. Give Organization/… with its id.")
    return key.res


def _told(house: House, one: Phone, by: str) -> dict[str, Any]:
    """`number` is text: it is larger than what readers of JSON keep exactly."""
    return {
        "number": str(one.number),
        "label": one.label,
        "organization": house.store.reference(Key(0, kind_of("Organization"), one.organization)),
        "active": one.active,
        "added": one.enrolled_at.isoformat(timespec="seconds"),
        "by": by,
    }


@phone.command("end")
def end(number: Annotated[str, typer.Argument(help="As `liaison phone list` prints it.")]) -> None:
    """End a lost phone: no PIN works on it any more, and who is signed in on it is out at the next request."""

    async def work() -> str:
        async with changing(Settings()) as (house, connection):
            found = {str(one.number): one for one in await phones.every(connection)}.get(number)
            if found is None:
                raise Refused(f"There is no phone {number}. See: liaison phone list")
            if not await phones.revoke(connection, found.organization, found.number):
                raise Refused(f"{found.label} ({number}) has ended already.")
            done = Entry(
                Event.RIGHTS, method="console", path="phone end", detail={"act": Act.PHONE_ENDED, "phone": number}
            )
            await house.journal.record_within(connection, (done,))
            return found.label

    typer.echo(f"{carry_out(work())} has ended.")
