"""`liaison client`: the software that may ask for tokens. There is no open registration: an administrator adds each."""

import asyncio
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import asyncpg
import typer
from rich.console import Console
from rich.table import Table

from liaison.auth.access.rebuild import rebuild
from liaison.auth.access.roles import ROLES
from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.oauth2 import clients
from liaison.auth.oauth2.clients import Client, ClientProblem
from liaison.auth.oauth2.rfc7523 import ALGORITHMS
from liaison.services import base
from liaison.services.command import Refused, app, client_life
from liaison.services.command.serve import CANNOT
from liaison.services.house import House
from liaison.services.settings import Settings

T = TypeVar("T")
client = typer.Typer(help="The software that may ask for tokens.", no_args_is_help=True)
app.add_typer(client, name="client")
for _command in client_life.COMMANDS:
    client.command(_command.__name__)(_command)


def carry_out(work: Coroutine[Any, Any, T]) -> T:
    """Runs it on the database of the settings, started for the time of the command when no service runs."""
    try:
        with base.standing(Settings()):
            return asyncio.run(work)
    except (ClientProblem, *CANNOT) as error:
        raise Refused(str(error)) from None
    finally:
        work.close()


def registered(one: Client) -> dict[str, Any]:
    """One client as `--json` shows it: everything but keys."""
    return {
        "client_id": one.client_id,
        "kind": one.kind,
        "name": one.name,
        "scope": str(one.scopes),
        "algorithm": one.algorithm,
        "jwks_uri": one.jwks_uri,
        "binding": one.binding,
        "certificate_subject": one.certificate_subject,
        "redirect_uris": list(one.redirect_uris),
        "launch_url": one.launch_url,
        "post_logout_redirect_uris": list(one.post_logout_redirect_uris),
        "introspects": one.introspects,
        "role": one.role_code,
        "active": one.active,
    }


def _key_set(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        raise Refused(f"{path} is not a JSON file that can be read.") from None
    if not isinstance(found, dict):
        raise Refused(f"{path} is not a JWK Set.")
    return found if "keys" in found else {"keys": [found]}


@client.command("add")
def add(
    client_id: Annotated[str, typer.Argument(help="The name it will ask under.")],
    name: Annotated[str, typer.Option(help="What people read on the consent page.")],
    scope: Annotated[str, typer.Option(help="The widest scopes it may ever get, in quotes.")],
    kind: Annotated[str, typer.Option(help="app: for people. backend: for an organisation.")] = "app",
    jwks: Annotated[Path | None, typer.Option(help="File with its public keys (JWK Set or one JWK).")] = None,
    jwks_uri: Annotated[str, typer.Option(help="Where it publishes its public keys, instead of --jwks.")] = "",
    algorithm: Annotated[str, typer.Option(help=f"The one it signs with: {', '.join(ALGORITHMS)}.")] = "",
    binding: Annotated[
        str, typer.Option(help="What its tokens are bound to: dpop (a key) or mtls (a certificate).")
    ] = "",
    certificate_subject: Annotated[
        str, typer.Option(help="It proves itself by a certificate of this subject (RFC 4514), not by keys.")
    ] = "",
    redirect_uri: Annotated[list[str] | None, typer.Option(help="An app's exact return address; repeatable.")] = None,
    launch_url: Annotated[str, typer.Option(help="Where an app is opened on a record (SMART EHR launch).")] = "",
    post_logout_redirect_uri: Annotated[
        list[str] | None, typer.Option(help="Where an app's people go after signing out; repeatable.")
    ] = None,
    introspects: Annotated[bool, typer.Option("--introspects", help="It may ask about any token (RFC 7662).")] = False,
    organization: Annotated[str, typer.Option(help="A backend's owner: Organization/<id>.")] = "",
    exchanges: Annotated[bool, typer.Option(help="It may exchange tokens of people (RFC 8693).")] = False,
    role: Annotated[str, typer.Option(help="The role a backend acts in, at its organisation.")] = "",
) -> None:
    """Register software. Only public keys are kept."""
    keys = _key_set(jwks)
    if role and role not in ROLES:
        raise Refused(f"There is no role '{role}'. Roles: {', '.join(sorted(ROLES))}.")

    async def work() -> Client:
        async with House.opened(Settings()) as house:
            owner = house.store.key(*organization.split("/", 1)) if "/" in organization else None
            if organization and owner is None:
                raise ClientProblem(f"{organization} is not an organisation of this base.")
            async with house.database.writing.acquire() as connection, connection.transaction():
                made = await clients.add(
                    connection,
                    client_id=client_id,
                    kind=kind,
                    name=name,
                    scope=scope,
                    jwks=keys,
                    jwks_uri=jwks_uri,
                    algorithm=algorithm,
                    binding=binding,
                    certificate_subject=certificate_subject,
                    exchanges=exchanges,
                    private=house.settings.fetch_private_addresses,
                    redirect_uris=redirect_uri or (),
                    organization=owner.res if owner else 0,
                    role_code=role,
                    purpose=ROLES[role].purpose if role else 0,
                    launch_url=launch_url,
                    post_logout_redirect_uris=post_logout_redirect_uri or (),
                    introspects=introspects,
                )
                await _record(house, connection, made.number, Act.CLIENT_ADDED)
            if made.organization:
                # Its rights are those of its owner's facts, which stand in records that are there already.
                await rebuild(house.database.writing, house.vault)
            return made

    typer.echo(f"{carry_out(work()).client_id} is registered.")


async def _record(house: House, connection: asyncpg.Connection, number: int, act: Act) -> None:
    """Who may ask for tokens is part of who may see what: each change is in the journal, in its own transaction."""
    entry = Entry(Event.RIGHTS, client=number, method="console", path=act.value, detail={"act": act})
    await house.journal.record_within(connection, (entry,))


@client.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """All clients, suspended ones too."""

    async def work() -> list[Client]:
        async with House.opened(Settings()) as house:
            return await clients.every(house.database.reading)

    found = carry_out(work())
    if as_json:
        typer.echo(json.dumps([registered(one) for one in found], ensure_ascii=False, indent=2))
        return
    table = Table("client_id", "kind", "name", "scope", "state")
    for one in found:
        table.add_row(one.client_id, one.kind, one.name, str(one.scopes), "in force" if one.active else "suspended")
    Console().print(table)


@client.command("suspend")
def suspend(
    client_id: Annotated[str, typer.Argument()],
    lift: Annotated[bool, typer.Option("--lift", help="Take it up again.")] = False,
) -> None:
    """Suspend software: its tokens are dead at the next request, on every worker."""

    async def work() -> bool:
        async with (
            House.opened(Settings()) as house,
            house.database.writing.acquire() as connection,
            connection.transaction(),
        ):
            known = await clients.suspend(connection, client_id, active=lift)
            number = await connection.fetchval("select client from client where client_id = $1", client_id)
            if known:
                await _record(house, connection, number, Act.CLIENT_RESUMED if lift else Act.CLIENT_SUSPENDED)
            return known

    if not carry_out(work()):
        raise Refused(f"There is no client {client_id}, or it has ended for good.")
    typer.echo(f"{client_id} is {'in force again' if lift else 'suspended'}.")
