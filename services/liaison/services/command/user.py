"""`liaison user`: who may sign in. What they may do comes from the directory, never from here."""

import json
import secrets
import sys
from datetime import date, datetime, time
from getpass import getpass
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import asyncpg
import typer
from rich.console import Console
from rich.table import Table

from liaison.auth.journal.entry import Entry, Event
from liaison.auth.people import accounts, invitations, recovery
from liaison.auth.people.accounts import Account, AccountProblem
from liaison.auth.people.recovery import RecoveryProblem
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


@user.command("invite")
def invite(
    username: Annotated[str, typer.Argument(help="The name they type to sign in.")],
    person: Annotated[str, typer.Argument(help="Who they are: Practitioner/<id>, Patient/<id> or RelatedPerson/<id>.")],
    until: Annotated[str, typer.Option(help="The last day of their contract: 2027-06-30.")] = "",
) -> None:
    """Open an account without any secret, and print the one-time link by which its owner chooses their own."""
    ends_at = _last_moment(until) if until else None

    async def work() -> str:
        settings = Settings()
        async with House.opened(settings) as house:
            key = house.store.key(*person.split("/", 1)) if "/" in person else None
            if key is None:
                raise Refused(f"{person} is nobody of this base.")
            async with house.database.writing.acquire() as connection, connection.transaction():
                try:
                    account = await accounts.add(connection, username, key, invited=True, ends_at=ends_at)
                except AccountProblem as problem:
                    raise Refused(str(problem)) from None
                token = await invitations.invite(connection, account.number)
                await _record(house, connection, account.number, key.res, "user invite")
        return f"{settings.public_url}/premier-acces/{token}"

    typer.echo(carry_out(work()))


def _last_moment(day: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(day), time.max, ZoneInfo("Europe/Paris"))
    except ValueError:
        raise Refused(f"{day} is no date like 2027-06-30.", 2) from None


@user.command("seal")
def seal() -> None:
    """Print a new sealed code, for an envelope: with it a lone administrator gets back in. The earlier one ends."""

    async def work() -> str:
        async with (
            House.opened(Settings()) as house,
            house.database.writing.acquire() as connection,
            connection.transaction(),
        ):
            code = await recovery.seal(connection)
            await _record(house, connection, 0, 0, "user seal")
            return code

    typer.echo(carry_out(work()))


@user.command("recover")
def recover(username: Annotated[str, typer.Argument()]) -> None:
    """Let someone who has lost every factor in again, by the sealed code, where there are not two other administrators.

    The code is asked for, or read from standard input. The data protection officer finds it among the accesses restored.
    """
    code = getpass("Sealed code: ") if sys.stdin.isatty() else sys.stdin.readline()

    async def work() -> str:
        settings = Settings()
        async with House.opened(settings) as house, house.database.writing.acquire() as connection:
            account = await accounts.by_username(connection, username)
            if account is None:
                raise Refused(f"There is no account {accounts.normal(username)}.")
            try:
                await recovery.open_envelope(connection, account, code)
            except RecoveryProblem as problem:
                raise Refused(str(problem)) from None
            async with connection.transaction():
                token = await recovery.at_the_console(connection, account)
                await _record(house, connection, account.number, account.person.res, "user recover")
        return f"{settings.public_url}/premier-acces/{token}"

    typer.echo(carry_out(work()))
