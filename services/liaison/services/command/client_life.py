"""`liaison client request, requests, activate, keys, review, end…`: the life of a vendor's software, at the console.

Approving is not among them: a console does not know who types, and two different people have to say yes (/logiciels).
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import asyncpg
import typer

from liaison.auth.access.rebuild import rebuild
from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import OUTCOME_REFUSED, Entry, Event
from liaison.auth.oauth2.clients import ClientProblem
from liaison.auth.vendors import activations, life, requests
from liaison.auth.vendors.conformance import RESULTS, BadReport, Report, receive
from liaison.auth.vendors.request_file import BadFile, private_keys
from liaison.auth.vendors.requests import NotNow
from liaison.services import base
from liaison.services.command import Refused
from liaison.services.command.serve import CANNOT
from liaison.services.house import House
from liaison.services.settings import Settings

T = TypeVar("T")
ClientId = Annotated[str, typer.Argument(help="The client_id.")]
Where = Annotated[str, typer.Argument(help="Organization/<id>, or 'patients' for people who act for themselves.")]


def _within(
    act: Act,
    client_id: str,
    work: Callable[[House, asyncpg.Connection], Awaitable[T]],
    *,
    rights: bool = False,
    **more: str,
) -> T:
    """Carries it out in one transaction with its entry in the journal. `rights`: they are computed again after it."""

    async def carry() -> T:
        async with House.opened(Settings()) as house:
            async with house.database.writing.acquire() as connection, connection.transaction():
                done = await work(house, connection)
                detail = {"act": act, "client": client_id or _client_of(done), **more}
                told = Entry(Event.RIGHTS, method="console", path=act.value, detail=detail)
                if done is False:
                    told = told._replace(outcome=OUTCOME_REFUSED, status=404)
                await house.journal.record_within(connection, (told,))
            if rights:
                await rebuild(house.database.writing, house.vault)
            return done

    try:
        with base.standing(Settings()):
            return asyncio.run(carry())
    except (ClientProblem, NotNow, BadFile, *CANNOT) as error:
        raise Refused(str(error)) from None


def _client_of(done: object) -> str:
    """Of a request or a report that was taken in: the software that it is about."""
    return str(getattr(done[0] if isinstance(done, tuple) else done, "client_id", ""))


def request(
    file: Annotated[Path, typer.Argument(help="The vendor's request file (JSON; docs/clients.md).")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Take in a vendor's request and check it; prints the address where the vendor follows it.

    Exit code 1 when the check has found something: the vendor corrects the file and it is taken in again."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}.") from None

    async def work(house: House, connection: asyncpg.Connection) -> tuple[requests.VendorRequest, str]:
        private = house.settings.fetch_private_addresses
        found, secret = await requests.receive(connection, content, house.key_sets.fetcher, private=private)
        return found, f"{house.settings.public_url}/editeurs/{secret}"

    found, follow = _within(Act.CLIENT_ASKED, "", work)
    if as_json:
        problems = [{"where": one.where, "text": one.text} for one in found.problems]
        said = {"request": str(found.number), "client_id": found.client_id, "state": found.state, "follow": follow}
        typer.echo(json.dumps({**said, "problems": problems}, indent=2))
    else:
        typer.echo(f"Request {found.number} for {found.client_id}: {found.state}.")
        for one in found.problems:
            typer.echo(f"  {one.where or '/'}: {one.text}")
        typer.echo(f"The vendor follows it at {follow}")
        if not found.problems:
            typer.echo("An administrator and the DPO approve it at /logiciels.")
    if found.problems:
        raise typer.Exit(1)


def conformance(
    report: Annotated[Path, typer.Argument(help="The report that make conformance APP=… has written.")],
) -> None:
    """Take in what make conformance has found of a vendor's software; its vendor and the two who approve see it.

    Exit code 1 when a check has failed: the request goes back to its vendor."""
    try:
        content = report.read_bytes()
    except OSError as error:
        raise Refused(f"{report} cannot be read: {error.strerror}.") from None

    async def work(_house: House, connection: asyncpg.Connection) -> Report:
        return await receive(connection, content)

    try:
        found = _within(Act.CLIENT_REPORT, "", work)
    except BadReport as error:
        raise Refused(str(error)) from None
    counted = ", ".join(f"{found.count(result)} {result}" for result in RESULTS)
    typer.echo(f"{found.client_id}: {counted}.")
    for one in found.failed:
        typer.echo(f"  {one.name}: {one.why}")
    if found.failed:
        raise typer.Exit(1)


def _place(house: House, where: str) -> int:
    if where == "patients":
        return activations.PEOPLE
    key = house.store.key(*where.split("/", 1)) if where.startswith("Organization/") else None
    if key is None:
        raise ClientProblem(f"{where} is not an organisation of this base.")
    return key.res


def activate(client_id: ClientId, where: Where) -> None:
    """Switch software on for an organisation; prints the client_id to use there."""

    async def work(house: House, connection: asyncpg.Connection) -> str:
        return await activations.activate(connection, client_id, _place(house, where))

    made = _within(Act.CLIENT_ON, client_id, work, rights=True, organization=where)
    typer.echo(f"{client_id} is on for {where}; its client_id there: {made}")


def deactivate(client_id: ClientId, where: Where) -> None:
    """Switch software off for an organisation: its tokens there are dead at the next request."""

    async def work(house: House, connection: asyncpg.Connection) -> bool:
        return await activations.deactivate(connection, client_id, _place(house, where))

    if not _within(Act.CLIENT_OFF, client_id, work, rights=True, organization=where):
        raise Refused(f"{client_id} was not on for {where}.")
    typer.echo(f"{client_id} is off for {where}.")


def keys(
    client_id: ClientId,
    jwks: Annotated[Path | None, typer.Option(help="File with its new public keys (JWK Set or one JWK).")] = None,
    jwks_uri: Annotated[str, typer.Option(help="Where it publishes its keys from now on.")] = "",
    algorithm: Annotated[str, typer.Option(help="Only when it changes.")] = "",
) -> None:
    """Replace the keys of software; what it holds open with the old ones ends. (At a jwks_uri the vendor rotates alone.)"""
    found: Any = None
    if jwks is not None:
        try:
            found = json.loads(jwks.read_text())
        except (OSError, ValueError):
            raise Refused(f"{jwks} is not a JSON file that can be read.") from None
        found = found if isinstance(found, dict) and "keys" in found else {"keys": [found]}
        if problem := next(private_keys(found), None):
            raise Refused(problem.text)

    async def work(house: House, connection: asyncpg.Connection) -> int:
        private = house.settings.fetch_private_addresses
        return await life.change_keys(
            connection, client_id, jwks=found, jwks_uri=jwks_uri, algorithm=algorithm, private=private
        )

    _within(Act.CLIENT_KEYS, client_id, work)
    typer.echo(f"{client_id} has new keys.")


def review(client_id: ClientId) -> None:
    """Say that the yearly review is done; the next is in a year."""

    async def work(_: House, connection: asyncpg.Connection) -> bool:
        return await life.reviewed(connection, client_id)

    if not _within(Act.CLIENT_REVIEWED, client_id, work):
        raise Refused(f"{client_id} is nothing to review.")
    typer.echo(f"{client_id}: reviewed. The next review is in a year.")


def end(client_id: ClientId) -> None:
    """End software for good: everything is closed, and its name stays taken."""

    async def work(_: House, connection: asyncpg.Connection) -> bool:
        return await life.end(connection, client_id)

    if not _within(Act.CLIENT_ENDED, client_id, work, rights=True):
        raise Refused(f"There is no client {client_id} in force.")
    typer.echo(f"{client_id} has ended.")


COMMANDS: Final = (request, conformance, activate, deactivate, keys, review, end)
"""Each is a command of `liaison client` under its own name."""
