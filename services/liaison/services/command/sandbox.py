"""`liaison sandbox`: a complete synthetic territory, started by one command, for integrators, tests and first looks."""

import asyncio
import contextlib
import os
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from liaison.fhir.store.database import UnknownSchema
from liaison.fhir.vault import FileKeyProvider
from liaison.services.base import NoDatabase
from liaison.services.command import Refused, app, sandbox_tampered, serve
from liaison.services.installation import WrongInstallation
from liaison.services.sandbox import lan, start
from liaison.services.sandbox import token as tokens
from liaison.services.sandbox.clients import ORIGINS
from liaison.services.sandbox.folder import AlreadyRunning, Folder, NotASandbox
from liaison.services.sandbox.load import NotLoaded
from liaison.services.sandbox.territory import Territory, build
from liaison.services.sandbox.territory.clock import PARIS, Clock
from liaison.services.sandbox.territory.territory import PATIENTS, Size
from liaison.services.settings import Settings, require_origin

sandbox = typer.Typer(help="A synthetic territory on a database of its own: invented people, nothing real.")
app.add_typer(sandbox, name="sandbox")
sandbox.command("tamper")(sandbox_tampered.tamper)

DATA = Path("liaison-sandbox")
HERE: Final = "127.0.0.1"
PATIENCE_SECONDS: Final = 30
"""Longer than a worker takes to see that its supervisor is gone and to end its requests (LIAISON_STOP_WITHIN_SECONDS)."""
Data = Annotated[Path, typer.Option("--data", file_okay=False, help="The sandbox's folder; made if it is not there.")]


def _origins(given: list[str] | None) -> list[str] | None:
    try:
        return [require_origin(one) for one in given] if given else given
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


@sandbox.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on, 0 for a free one.")] = 8080,
    data: Data = DATA,
    size: Annotated[Size | None, typer.Option(help="60 patients, which it is otherwise, or 1,200.")] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="The day that the records are made for, at ten; now otherwise. The service keeps the machine's clock.",
        ),
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Empty the folder and make a new territory.")] = False,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 2,
    origin: Annotated[
        list[str] | None,
        typer.Option(callback=_origins, help="A further origin whose pages may call: http://localhost:5173."),
    ] = None,
    public_url: Annotated[
        str, typer.Option("--public-url", help="The address it is reached at, where a proxy stands before it.")
    ] = "",
    on_network: Annotated[
        bool, typer.Option("--lan", help="HTTPS on the local network, with a QR code for a phone.")
    ] = False,
) -> None:
    """Start the demonstration territory; the first start makes it, later ones take seconds. Stop it with Ctrl-C."""
    if context.invoked_subcommand is not None:
        return
    folder = Folder(data)
    clock = Clock.of(date(as_of.year, as_of.month, as_of.day)) if as_of else Clock(datetime.now(PARIS))
    try:
        folder.refuse()
        if folder.complete and not reset:
            _refuse_another(folder, as_of, size)
        host = lan.address() if on_network else ""
        with contextlib.closing(_bound(folder, host or HERE, port)) as having:
            chosen = having.getsockname()[1]
            settings = _settings(folder, chosen, workers, public_url, host=host, origins=(*ORIGINS, *(origin or ())))
            with folder.held(settings.public_url, reset=reset):
                _settle_key(folder)
                certificate = lan.certificate(folder.path, host) if on_network else None
                serve.run(
                    settings,
                    lambda: _prepare(settings, folder, lambda: build(clock, size or "small"), certificate),
                    (certificate.chain, certificate.key) if certificate else None,
                    having,
                )
    except (NotASandbox, AlreadyRunning, WrongInstallation, NotLoaded, lan.NoPrivateAddress) as error:
        raise Refused(str(error)) from None


def _refuse_another(folder: Folder, as_of: datetime | None, size: Size | None) -> None:
    """Raises NotASandbox where the territory is there already and of another day or size than is asked for."""
    known = folder.read()
    if "as_of" not in known:  # of a version that did not say it
        return
    day, people = str(known["as_of"]), len(known["patients"])
    if (as_of and as_of.date().isoformat() != day) or (size and PATIENTS[size] != people):
        raise NotASandbox(
            f"The sandbox in {folder.path} was made for {day}, with {people} patients. --as-of and --size count when one is "
            "made: leave them out, or add --reset, which empties it first."
        )


def _settle_key(folder: Folder) -> None:
    if not folder.complete:
        FileKeyProvider.create(folder.key)
    elif not folder.key.exists():
        raise NotASandbox(
            f"The key of the sandbox in {folder.path} is gone, and nothing opens without it. Make the sandbox anew: liaison "
            f"sandbox --reset --data {folder.path}"
        )


def _bound(folder: Folder, host: str, port: int) -> socket.socket:
    """The port, before anything is made. One that the workers of a sandbox that was killed still hold is waited for."""
    patience = time.monotonic() + (PATIENCE_SECONDS if folder.abandoned else 0)
    while True:
        try:
            return serve.bound(host, port)
        except Refused as refusal:
            if time.monotonic() > patience:
                raise Refused(f"{refusal} Choose another with --port, 0 for a free one; nothing was made.") from None
        time.sleep(0.1)


@sandbox.command("token")
def token(
    who: Annotated[str, typer.Option("--as", help="Key of a person of sandbox.json, or the client_id of a backend.")],
    data: Data = DATA,
    client: Annotated[str, typer.Option(help="client_id of the app; the usual one of that person otherwise.")] = "",
    scope: Annotated[str, typer.Option(help="SMART scopes; all of the app's data otherwise.")] = "",
    patient: Annotated[str, typer.Option(help="Key of the patient in context, for patient/ scopes.")] = "",
) -> None:
    """Print an access token of a running sandbox, obtained through its own OAuth endpoints. Refused on anything else."""
    folder = Folder(data)
    try:
        known = folder.read()
        asyncio.run(start.check(_settings(folder, 0, 1, known["issuer"])))
        typer.echo(tokens.token(known, who, client, scope, patient))
    except NoDatabase:
        raise Refused(f"The sandbox in {folder.path} does not run. Start it: liaison sandbox --data {data}") from None
    except UnknownSchema:
        raise Refused(
            f"The sandbox in {folder.path} has the tables of another version of Liaison. Stop it and start it again, "
            f"which brings them to this version: liaison sandbox --data {data}"
        ) from None
    except (NotASandbox, WrongInstallation, tokens.NoToken, *serve.CANNOT) as error:
        raise Refused(str(error)) from None


def _settings(
    folder: Folder, port: int, workers: int, public_url: str = "", host: str = "", origins: Sequence[str] = ()
) -> Settings:
    """The settings of the sandbox, which its worker processes read from the environment. What the shell says of another
    installation is not heard; LIAISON_FETCH_PRIVATE_ADDRESSES is, which is for sandboxes alone."""
    own = {name: value for name, value in os.environ.items() if name == "LIAISON_FETCH_PRIVATE_ADDRESSES"}
    for name in [name for name in os.environ if name.startswith("LIAISON_")]:
        del os.environ[name]
    said = {
        "DATA": folder.path,
        "KEY_FILE": folder.key,
        "PORT": port,
        "WORKERS": workers,
        "HOST": host or HERE,
        "PUBLIC_URL": public_url or (f"https://{host}:{port}" if host else f"http://{HERE}:{port}"),
        "ACCESS_LOG": "false",
        "MESSAGE_SPOOL": folder.path / "messages",
        "MSSANTE_DOMAINS": "liaison.mssante.example",
        "CORS_ORIGINS": ",".join(origins),
    }
    own.update({f"LIAISON_{name}": str(value) for name, value in said.items()})
    os.environ.update(own)
    return Settings()


def _prepare(
    settings: Settings, folder: Folder, territory: Callable[[], Territory], certificate: lan.Certificate | None
) -> None:
    console = Console(stderr=True)
    if not folder.complete and not console.is_terminal:
        console.print("Le territoire se remplit : une demi-minute ; quelques minutes avec --size large.")
    columns = (SpinnerColumn(), TextColumn("Le territoire se remplit : {task.completed} éléments"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("load", total=None, visible=not folder.complete)
        asyncio.run(start.prepare(settings, folder, territory, lambda written: bar.update(task, completed=written)))
    known = {name: value for name, value in folder.read().items() if name != "authority"}
    folder.write({**known, "authority": str(certificate.authority)} if certificate else known)
    threading.Thread(target=_tell_when_ready, args=(settings, folder, certificate), daemon=True).start()


def _tell_when_ready(settings: Settings, folder: Folder, certificate: lan.Certificate | None) -> None:
    """Prints where to look, once the service answers."""
    trust = lan.trusting(certificate.authority) if certificate else None
    own = settings.public_url if certificate else f"http://{settings.host}:{settings.port}"
    while True:
        try:
            # Its own port: a proxy may stand before it that does not serve yet.
            with urllib.request.urlopen(f"{own}/readyz", timeout=2, context=trust):  # noqa: S310  # our own address
                break
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    typer.echo(f"Territoire de démonstration (données fictives) : {settings.public_url}/territoire")
    typer.echo(f"Tout ce qu'il faut savoir : {folder.file}")
    if certificate:
        typer.echo(lan.picture(f"{settings.public_url}/territoire"))
        typer.echo(
            "Le téléphone, sur le même réseau, avertit d'abord d'un certificat inconnu. Pour qu'il le reconnaisse : "
            f"{settings.public_url}/territoire/autorite, empreinte SHA-256 {lan.fingerprint(certificate.authority)}"
        )
