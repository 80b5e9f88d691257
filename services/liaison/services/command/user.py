"""`liaison user`: who may sign in. What they may do comes from the directory, never from here."""

import json
import secrets
import sys
from getpass import getpass
from typing import Annotated, Any

import asyncpg
import typer
from rich.console import Console
from rich.table import Table

from liaison.auth.journal.entry import Entry, Event
from liaison.auth.people import accounts
from liaison.auth.people.accounts import Account, AccountProblem
from liaison.services.command import Refused, app
from liaison.services.command.client import carry_out
from liaison.services.house import House
from liaison.services.settings import Settings

user = typer.Typer(help="The people who may sign in.", no_args_is_help=True)
app.add_typer(user, name="user")


def _secret(pin: bool) -> str:
    """Asked for twice at a terminal, read as one line otherwise. Never an argument: those are seen by everyone."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    word = "PIN" if pin else "Password"
    first = getpass(f"{word}: ")
    if first != getpass(f"{word} again: "):
        raise Refused("The two are not the same. Nothing was changed.")
    return first


@user.command("add")
def add(
    username: Annotated[str, typer.Argument(help="The name they type to sign in.")],
    person: Annotated[str, typer.Argument(help="Who they are: Practitioner/<id>, Patient/<id> or RelatedPerson/<id>.")],
    pin: Annotated[
        bool, typer.Option("--pin", help="A 6-digit PIN, for an enrolled phone, in place of a password.")
    ] = False,
    generate: Annotated[bool, typer.Option("--generate", help="Make the secret and print it once.")] = False,
) -> None:
    """Open an account. The password or PIN is asked for, or read from standard input."""
    made = (f"{secrets.randbelow(10**6):06d}" if pin else secrets.token_urlsafe(12)) if generate else _secret(pin)

    async def work() -> None:
        async with House.opened(Settings()) as house:
            key = house.store.key(*person.split("/", 1)) if "/" in person else None
            if key is None:
                raise Refused(f"{person} is nobody of this base.")
            async with house.database.writing.acquire() as connection, connection.transaction():
                try:
                    account = await accounts.add(
                        connection, username, key, password="" if pin else made, pin=made if pin else ""
                    )
                except AccountProblem as problem:
                    raise Refused(str(problem)) from None
                await _record(house, connection, account.number, key.res, "user add")

    carry_out(work())
    typer.echo(f"{accounts.normal(username)} may sign in." + (f" The secret is: {made}" if generate else ""))


async def _record(house: House, connection: asyncpg.Connection, number: int, person: int, act: str) -> None:
    """In the same transaction as the change: an account without its entry does not exist."""
    entry = Entry(Event.RIGHTS, person=person, account=number, method="console", path=act)
    await house.journal.record_within(connection, (entry,))


def described(house: House, one: Account) -> dict[str, Any]:
    """One account as `--json` shows it. No name and no secret: the directory has the names."""
    return {"username": one.username, "person": house.store.reference(one.person), "active": one.active}


@user.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """All accounts, suspended ones too."""

    async def work() -> list[dict[str, Any]]:
        async with House.opened(Settings()) as house:
            return [described(house, one) for one in await accounts.every(house.database.reading)]

    found = carry_out(work())
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    table = Table("username", "person", "state")
    for one in found:
        table.add_row(one["username"], one["person"], "in force" if one["active"] else "suspended")
    Console().print(table)


@user.command("suspend")
def suspend(
    username: Annotated[str, typer.Argument()],
    lift: Annotated[bool, typer.Option("--lift", help="Take it up again.")] = False,
) -> None:
    """Suspend an account: every browser and token of theirs is dead at the next request, on every worker."""

    async def work() -> bool:
        async with (
            House.opened(Settings()) as house,
            house.database.writing.acquire() as connection,
            connection.transaction(),
        ):
            known = await accounts.suspend(connection, username, active=lift)
            account = await accounts.by_username(connection, username)
            if known and account is not None:
                act = "user suspend --lift" if lift else "user suspend"
                await _record(house, connection, account.number, account.person.res, act)
            return known

    if not carry_out(work()):
        raise Refused(f"There is no account {accounts.normal(username)}.")
    typer.echo(f"{accounts.normal(username)} is {'in force again' if lift else 'suspended'}.")
