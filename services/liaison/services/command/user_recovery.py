"""`liaison user seal` and `recover`: getting someone who has lost every factor in again, from the console.

Two administrators prove themselves at it, each by password and app; where there are not two others, the sealed code does.
Either way the data protection officer finds it among the accesses restored.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from getpass import getpass
from typing import Annotated

import asyncpg
import typer

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.people import accounts, recovery, second_factor
from liaison.auth.people.accounts import Account
from liaison.auth.people.recovery import RecoveryProblem, SignsInElsewhere
from liaison.auth.people.sign_in import SignInRefused, sign_in
from liaison.services.command import Refused
from liaison.services.command.client import carry_out
from liaison.services.house import House
from liaison.services.settings import Settings


@asynccontextmanager
async def changing(settings: Settings) -> AsyncIterator[tuple[House, asyncpg.Connection]]:
    """The house and a connection in one transaction, for a change and its entry in the journal."""
    async with (
        House.opened(settings) as house,
        house.database.writing.acquire() as connection,
        connection.transaction(),
    ):
        yield house, connection


async def named(connection: asyncpg.Connection, username: str) -> Account:
    """The account of that name. Raises Refused when there is none."""
    account = await accounts.by_username(connection, username)
    if account is None:
        raise Refused(f"There is no account {accounts.normal(username)}. See: liaison user list")
    return account


async def record(
    house: House, connection: asyncpg.Connection, account: Account | None, act: Act, *, by: str = ""
) -> None:
    """In the same transaction as the change: an account without its entry does not exist. The person did nothing: who typed is
    nobody to the journal, and `by` says who was there."""
    detail = {"act": act, "account": account.number if account else 0, "by": by}
    entry = Entry(
        Event.RIGHTS,
        patient=account.person.patient if account else 0,
        method="console",
        path=f"user {act}",
        detail={name: value for name, value in detail.items() if value},
    )
    await house.journal.record_within(connection, (entry,))


def seal() -> None:
    """Print a new sealed code, for an envelope: with it a lone administrator gets back in. The earlier one ends."""

    async def work() -> str:
        async with changing(Settings()) as (house, connection):
            code = await recovery.seal(connection)
            await record(house, connection, None, Act.ENVELOPE_SEALED)
            return code

    typer.echo(carry_out(work()))


def recover(
    username: Annotated[str, typer.Argument()],
    by: Annotated[
        list[str] | None,
        typer.Option(help="An administrator who is here. Twice: two are needed, each proves themselves."),
    ] = None,
) -> None:
    """Let someone who has lost every factor in again, and print their one-time link. Every old secret is gone.

    With `--by ONE --by OTHER` each administrator is asked for password and app code. Without, the sealed code of the
    envelope is asked for, where there are not two other administrators. What is asked for is read from standard input,
    a line each, when that is no terminal. The data protection officer finds it among the accesses restored.
    """
    if by and len(by) != 2:
        raise Refused("Two administrators are needed: --by ONE --by OTHER", 2)
    if by:
        proofs = [(one, _asked(f"Password of {one}: "), _asked(f"App code of {one}: ")) for one in by]
        link = carry_out(_by_two(username, proofs))
    else:
        link = carry_out(_by_envelope(username, _asked("Sealed code: ")))
    typer.echo(link)


def _asked(words: str) -> str:
    """Never an argument: those are seen by everyone."""
    return getpass(words) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


async def _by_envelope(username: str, code: str) -> str:
    settings = Settings()
    async with House.opened(settings) as house, house.database.writing.acquire() as connection:
        account = await named(connection, username)
        try:
            await recovery.open_envelope(connection, account, code)
        except RecoveryProblem as problem:
            raise Refused(str(problem)) from None
        async with connection.transaction():
            token = await recovery.at_the_console(connection, account)
            await record(house, connection, account, Act.RECOVERED)
    return f"{settings.public_url}/premier-acces/{token}"


async def _by_two(username: str, proofs: list[tuple[str, str, str]]) -> str:
    settings = Settings()
    async with House.opened(settings) as house, house.database.writing.acquire() as connection:
        account = await named(connection, username)
        first, second = [await _proven(house, *one) for one in proofs]
        async with connection.transaction():
            try:
                await recovery.ask(connection, account, first)
                token = await recovery.grant(connection, account, second)
            except SignsInElsewhere as elsewhere:
                raise Refused(str(elsewhere)) from None
            except RecoveryProblem:
                problem = "Two administrators are needed, and neither is the person concerned."
                raise Refused(problem) from None
            await record(house, connection, account, Act.RECOVERED, by=f"{first.username}, {second.username}")
    return f"{settings.public_url}/premier-acces/{token}"


async def _proven(house: House, username: str, password: str, code: str) -> Account:
    """An administrator who has shown both factors. Wrong ones are counted as at any sign-in, and read the same."""
    try:
        account = await sign_in(house.database, username, password, on_enrolled_phone=False)
        await second_factor.check(house.database.writing, house.vault, account, code.replace(" ", ""))
    except SignInRefused:
        raise Refused(
            f"{accounts.normal(username)} is not proven: name, password or app code are not right, or were tried too often."
            " Whoever has a passkey alone does this in the pages (Comptes)."
        ) from None
    if not await recovery.administers(house.database.reading, account):
        raise Refused(f"{account.username} is no administrator.")
    return account


COMMANDS = (seal, recover)
"""What `liaison user` takes from here, by the name of the function."""
