"""`liaison user sessions`: what somebody has open, and ending it, for an administrator at the console."""

import json
from collections.abc import Sequence
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from liaison.auth import sessions as all_sessions
from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.people import accounts, open_sessions
from liaison.auth.people.open_sessions import OpenSession
from liaison.services.command import Refused
from liaison.services.command.client import carry_out
from liaison.services.house import House
from liaison.services.settings import Settings


def sessions(
    username: Annotated[str, typer.Argument(help="The name they type to sign in.")],
    end: Annotated[str, typer.Option(help="End this one: browser.…, software.… or token.…, as listed.")] = "",
    end_all: Annotated[bool, typer.Option("--end-all", help="End all of them.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List what somebody has open: browsers, software, urgent accesses. What is ended is dead at the next request."""
    if end and end_all:
        raise Refused("One of --end and --end-all.", 2)

    async def work() -> Sequence[OpenSession]:
        async with House.opened(Settings()) as house:
            account = await accounts.by_username(house.database.reading, username)
            if account is None:
                raise Refused(f"There is no account {accounts.normal(username)}.")
            if end or end_all:
                async with house.database.writing.acquire() as connection, connection.transaction():
                    if end_all:
                        await all_sessions.end_account(connection, account.number)
                    elif not await open_sessions.end_one(connection, account.number, end):
                        raise Refused(f"{accounts.normal(username)} has nothing open that is {end} and ends here.")
                    told = Entry(
                        Event.SIGN_OUT,
                        patient=account.person.patient,
                        method="console",
                        path="user sessions",
                        detail={"act": Act.SIGNED_OUT, "account": account.number, "ended": end or "all"},
                    )
                    await house.journal.record_within(connection, (told,))
            return await open_sessions.of_account(house.database.reading, account.number)

    _print(carry_out(work()), as_json=as_json)


def _print(found: Sequence[OpenSession], *, as_json: bool) -> None:
    if as_json:
        told = [
            {
                "id": one.id_,
                "device": one.device,
                "app": one.app,
                "since": one.since.isoformat(),
                "used": one.used.isoformat(),
                "until": one.until.isoformat(),
            }
            for one in found
        ]
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    table = Table("id", "device or app", "since", "last used", "until")
    for one in found:
        moments = (f"{moment.astimezone():%Y-%m-%d %H:%M}" for moment in (one.since, one.used, one.until))
        table.add_row(one.id_, one.device or one.app, *moments)
    Console().print(table)


COMMANDS: Final = (sessions,)
"""Each is a command of `liaison user` under its own name."""
