"""`liaison user`: who may sign in. What they may do comes from the directory, never from here."""

import json
import secrets
import sys
from datetime import date, datetime, time
from getpass import getpass
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from liaison.auth.journal.acts import Act
from liaison.auth.people import accounts, invitations, ways_in
from liaison.auth.people.accounts import Account, AccountProblem
from liaison.auth.people.identity_checks import NotChecked
from liaison.auth.people.ways_in import NoLink, Ways
from liaison.fhir.store.contract import Key
from liaison.services.command import Refused, app, user_recovery, user_sessions
from liaison.services.command.client import carry_out
from liaison.services.command.user_called import MOST, called
from liaison.services.command.user_recovery import changing, named, record
from liaison.services.house import House
from liaison.services.settings import Settings

PARIS: Final = ZoneInfo("Europe/Paris")
_NOT_CHECKED: Final = {
    "unchecked": "Nobody has recorded that they saw {0} with a document, in the last 90 days. Staff who see the record do "
    "it there, under « Accès en ligne »: /dossiers/[id]/acces.",
    "known": "{0} has an account already: there is one for each person. liaison user list",
    "unrepresented": "{0} represents nobody now: the record states no representation in force that staff have seen.",
}
user = typer.Typer(help="The people who may sign in.", no_args_is_help=True)
app.add_typer(user, name="user")
for _command in (*user_recovery.COMMANDS, *user_sessions.COMMANDS):
    user.command(_command.__name__)(_command)


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
    person: Annotated[
        str,
        typer.Argument(
            help="Who they are: Practitioner/<id>, Patient/<id> or RelatedPerson/<id>. A name lists who of the directory has it."
        ),
    ],
    pin: Annotated[
        bool, typer.Option("--pin", help="A 6-digit PIN, for an enrolled phone, in place of a password.")
    ] = False,
    generate: Annotated[bool, typer.Option("--generate", help="Make the secret and print it once.")] = False,
) -> None:
    """Open an account. The password or PIN is asked for, or read from standard input."""
    made = (accounts.made_pin() if pin else secrets.token_urlsafe(12)) if generate else _secret(pin)

    async def work() -> None:
        async with House.opened(Settings()) as house:
            key = await _person(house, person)
            async with house.database.writing.acquire() as connection, connection.transaction():
                try:
                    account = await accounts.add(
                        connection, username, key, password="" if pin else made, pin=made if pin else ""
                    )
                except AccountProblem as problem:
                    raise Refused(str(problem)) from None
                except NotChecked as problem:
                    raise Refused(_NOT_CHECKED[problem.why].format(person)) from None
                await record(house, connection, account, Act.ACCOUNT_ADDED)

    carry_out(work())
    typer.echo(f"{accounts.normal(username)} may sign in." + (f" The secret is: {made}" if generate else ""))


async def _person(house: House, person: str) -> Key:
    """Whom a reference names. Raises Refused for nobody, also for someone whose resource was deleted."""
    type_, _, id_ = person.partition("/")
    key = house.store.key(type_, id_) if id_ else None
    if key is None or not await accounts.known(house.database.reading, key):
        raise Refused(await _nobody(house, person))
    return key


async def _nobody(house: House, typed: str) -> str:
    """What is said of a name, or of a reference that leads to nobody."""
    found = [] if "/" in typed else await called(house, typed)
    if not found:
        return f"{typed} is nobody of this base. Give Practitioner/…, Patient/… or RelatedPerson/… with its id."
    more = ["…and others: give more of the name."] if len(found) > MOST else []
    return "\n".join([f"Say who {typed} is, by what stands first in their line:", *found[:MOST], *more])


def _way_in(one: Account, ways: Ways) -> str:
    """In words, how its owner signs in."""
    if one.username.startswith(ways_in.ELSEWHERE):
        return "Pro Santé Connect"
    held = [
        *(["passkey"] if ways.passkeys else []),
        *(["password and app" if ways.codes else "password"] if ways.password else []),
        *(["PIN"] if ways.pin else []),
    ]
    return ", ".join(held) or ("none yet, invited" if ways.invited else "none yet, and no invitation in force")


def _state(one: Account) -> str:
    if not one.active:
        return "suspended"
    return "ended" if one.over else "in force"


def described(house: House, one: Account, ways: Ways) -> dict[str, Any]:
    """One account as `--json` shows it. No name and no secret: the directory has the names."""
    return {
        "username": one.username,
        "person": house.store.reference(one.person),
        "active": one.active,
        "state": _state(one),
        "until": one.ends_at.astimezone(PARIS).date().isoformat() if one.ends_at else None,
        "way_in": _way_in(one, ways),
    }


@user.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """All accounts, suspended and ended ones too."""

    async def work() -> list[dict[str, Any]]:
        async with House.opened(Settings()) as house:
            ways = await ways_in.of_all(house.database.reading)
            found = await accounts.every(house.database.reading)
            return [described(house, one, ways.get(one.number, Ways())) for one in found]

    found = carry_out(work())
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    table = Table("username", "person", "state", "until", "way in")
    for one in found:
        table.add_row(one["username"], one["person"], one["state"], one["until"] or "", one["way_in"])
    Console().print(table)


@user.command("suspend")
def suspend(username: Annotated[str, typer.Argument()]) -> None:
    """Suspend an account: every browser and token of theirs is dead at the next request, on every worker."""
    _set_active(username, active=False)
    typer.echo(f"{accounts.normal(username)} is suspended.")


@user.command("resume")
def resume(username: Annotated[str, typer.Argument()]) -> None:
    """Take a suspended account up again. One whose contract has ended also needs `liaison user until`."""
    over = _set_active(username, active=True)
    name = accounts.normal(username)
    ended = f", but its contract has ended: liaison user until {name} DATE" if over else ""
    typer.echo(f"{name} is no longer suspended{ended}.")


def _set_active(username: str, *, active: bool) -> bool:
    """Whether the contract is over."""

    async def work() -> bool:
        async with changing(Settings()) as (house, connection):
            account = await named(connection, username)
            if account.active == active:
                raise Refused(f"{account.username} is {'not suspended' if active else 'suspended already'}.")
            await accounts.suspend(connection, account.username, active=active)
            await record(house, connection, account, Act.RESUMED if active else Act.SUSPENDED)
            return account.over

    return carry_out(work())


@user.command("end")
def end(username: Annotated[str, typer.Argument()]) -> None:
    """End an account today: nobody signs in by it any more. Its role ends in the directory, or in « Mon équipe »."""
    _set_end(username, "now", Act.ENDED)
    typer.echo(f"{accounts.normal(username)} has ended.")


@user.command("until")
def until(
    username: Annotated[str, typer.Argument()],
    day: Annotated[str, typer.Argument(help="The last day of the contract: 2027-06-30. 'none': it has no end.")],
) -> None:
    """Change the last day of a contract. A day that has passed ends the account now."""
    ends_at = None if day == "none" else _last_moment(day)
    ended = _set_end(username, ends_at, Act.END_MOVED)
    said = "has ended" if ended else "has no end" if ends_at is None else f"lasts until {day}"
    typer.echo(f"{accounts.normal(username)} {said}.")


def _set_end(username: str, ends_at: "datetime | Literal['now'] | None", act: Act) -> bool:
    """Whether the account is over now, by the database's clock."""

    async def work() -> bool:
        async with changing(Settings()) as (house, connection):
            now = await house.database.now()
            end_at = now if ends_at == "now" else ends_at
            account = await named(connection, username)
            try:
                await accounts.end_at(connection, account.number, end_at)
            except AccountProblem as problem:
                raise Refused(str(problem)) from None
            await record(house, connection, account, act)
            return end_at is not None and end_at <= now

    return carry_out(work())


@user.command("invite")
def invite(
    username: Annotated[str, typer.Argument(help="The name they type to sign in.")],
    person: Annotated[
        str,
        typer.Argument(
            help="Who they are: Practitioner/<id>, Patient/<id> or RelatedPerson/<id>. A name lists who of the directory has it."
        ),
    ],
    until: Annotated[str, typer.Option(help="The last day of their contract: 2027-06-30.")] = "",
) -> None:
    """Open an account without any secret, and print the one-time link by which its owner chooses their own."""
    ends_at = _last_moment(until) if until else None

    async def work() -> str:
        settings = Settings()
        async with House.opened(settings) as house:
            if ends_at is not None and ends_at < await house.database.now():
                raise Refused(f"{until} has passed: nobody could sign in by this account.", 2)
            key = await _person(house, person)
            async with house.database.writing.acquire() as connection, connection.transaction():
                try:
                    account = await accounts.add(connection, username, key, invited=True, ends_at=ends_at)
                except AccountProblem as problem:
                    raise Refused(str(problem)) from None
                except NotChecked as problem:
                    raise Refused(_NOT_CHECKED[problem.why].format(person)) from None
                token = await invitations.invite(connection, account.number)
                await record(house, connection, account, Act.INVITED)
        return f"{settings.public_url}/premier-acces/{token}"

    typer.echo(carry_out(work()))


_NO_LINK: Final = {
    "suspended": "{0} is suspended: liaison user resume {0}",
    "over": "The contract of {0} has ended: liaison user until {0} DATE",
    "elsewhere": "{0} signs in with Pro Santé Connect, and has no secret here.",
    "used": "{0} has chosen a way in already. Whoever has lost it: liaison user recover {0}",
}


@user.command("link")
def link(username: Annotated[str, typer.Argument()]) -> None:
    """Print a new one-time link for someone who has not chosen a secret yet. The earlier link ends.

    Also for the founder of an installation whose first link was lost, or was not used within its day."""

    async def work() -> str:
        settings = Settings()
        async with changing(settings) as (house, connection):
            account = await named(connection, username)
            try:
                token = await ways_in.link_again(connection, account)
            except NoLink as problem:
                raise Refused(_NO_LINK[problem.why].format(account.username)) from None
            await record(house, connection, account, Act.LINK)
        return f"{settings.public_url}/premier-acces/{token}"

    typer.echo(carry_out(work()))


def _last_moment(day: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(day), time.max, PARIS)
    except ValueError:
        raise Refused(f"{day} is no date like 2027-06-30.", 2) from None
