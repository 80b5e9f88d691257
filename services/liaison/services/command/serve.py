"""`liaison serve`: the service, in one or several worker processes on one socket and one database."""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from liaison.auth.access import adopted
from liaison.auth.access.table import BadTable
from liaison.fhir.errors import Unavailable
from liaison.fhir.store.database import UnknownSchema
from liaison.fhir.vault import ProviderError
from liaison.services import base
from liaison.services.api import metrics
from liaison.services.api.unreadable import Http
from liaison.services.command import Refused, app
from liaison.services.house import House, NoKey, key_provider
from liaison.services.installation import Kind, WrongInstallation, declared
from liaison.services.messages.operator import BadOperator
from liaison.services.sandbox.folder import MARKER
from liaison.services.settings import Settings
from liaison.services.workers import Workers, load

CANNOT = (base.NoDatabase, UnknownSchema, NoKey, BadOperator, ProviderError, Unavailable, WrongInstallation)
"""Why a service does not start; each says what to do."""

APPLICATION = "liaison.services.application:worker"


@app.command()
def serve(
    workers: Annotated[int | None, typer.Option(help="Worker processes; LIAISON_WORKERS otherwise.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; LIAISON_HOST otherwise.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on, 0 for a free one; LIAISON_PORT otherwise.")
    ] = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; requests under way are finished first."""
    given = {"workers": workers, "host": host, "port": port}
    for name, value in given.items():
        if value is not None:
            os.environ[f"LIAISON_{name.upper()}"] = str(value)  # so that each worker reads the same
    settings = Settings()
    if (settings.data / MARKER).exists():
        # Its doors let anybody in without a password: it is served as what it is, where its own command chose.
        raise Refused(f"{settings.data} is a sandbox. Start it as one: liaison sandbox --data {settings.data}")
    if settings.key_within:
        raise Refused(
            f"The key file {settings.key_file} is in {settings.key_within}: a copy of the data would carry the key. Move it,"
            " best to another medium, and change LIAISON_KEY_FILE."
        )
    try:
        key_provider(settings)  # first: without a key nothing is to be found there
        base.require(settings)
    except CANNOT as error:
        raise Refused(str(error)) from None
    run(settings)


def run(
    settings: Settings,
    before: Callable[[], None] = lambda: None,
    certificate: tuple[Path, Path] | None = None,
    port: socket.socket | None = None,
) -> None:
    """Starts the database when it is ours to start, checks that the service can serve, and supervises the workers.

    `before` is done once the database runs and before anything is served. `certificate` (chain, key) serves HTTPS here;
    in production the proxy does. `port` is what `bound` returned, for whom a taken port must be known before all else."""
    try:
        key_provider(settings)  # first: without a key no database is made, nor started
        with metrics.shared() if settings.metrics else contextlib.nullcontext():
            load()
            with base.running(settings, progress=True) as supervisor:
                before()
                _check(settings)
                with supervisor.watched() if supervisor else contextlib.nullcontext():
                    _serve(settings, certificate, port)
    except CANNOT as error:
        raise Refused(str(error)) from None


def _check(settings: Settings) -> None:
    async def open_and_close() -> None:
        async with House.opened(settings) as house:
            try:
                await adopted.in_force(house.database)
            except BadTable as error:
                raise Refused(
                    f"This version does not understand the table of rules in force ({error}). Adopt one that it"
                    " understands: liaison rules adopt."
                ) from None
            if (
                await declared(house.database.reading, house.vault) is Kind.SANDBOX
                and not (settings.data / MARKER).exists()
            ):
                raise WrongInstallation(
                    "This base is a sandbox's, restored or moved: its doors let anybody in without a password."
                    " Serve it from the sandbox's own folder: liaison sandbox --data FOLDER"
                )

    asyncio.run(open_and_close())


def _serve(settings: Settings, certificate: tuple[Path, Path] | None, port: socket.socket | None) -> None:
    config = uvicorn.Config(
        APPLICATION,
        factory=True,
        workers=settings.workers,
        loop="uvloop",
        http=Http,
        lifespan="on",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,  # Nothing a client says about itself is believed.
        timeout_graceful_shutdown=settings.stop_within_seconds,
        timeout_worker_healthcheck=60,
        ssl_certfile=certificate[0] if certificate else None,
        ssl_keyfile=certificate[1] if certificate else None,
    )
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(contextlib.closing(_listen(port or bound(settings.host, settings.port))))
        sockets = [listening]
        if settings.proxy_socket:
            sockets.append(stack.enter_context(contextlib.closing(_listen_to_proxy(settings.proxy_socket))))
        address = listening.getsockname()
        scheme = "https" if certificate else "http"
        print(f"Liaison listens on {scheme}://{address[0]}:{address[1]}", flush=True)  # noqa: T201  # whoever started it reads this
        Workers(config, sockets=sockets).run()


def bound(host: str, port: int) -> socket.socket:
    """A socket that has the port, and keeps others from it, but does not listen yet. Raises Refused for a taken one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Two sockets that both may reuse an address may both have it until one listens. So not at first: only where
    # connections of a service that has ended (TIME_WAIT) would keep the port for a minute.
    for reuse in (False, True):
        having = socket.socket(family, socket.SOCK_STREAM)
        having.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, reuse)
        try:
            having.bind((host, port))
        except OSError as error:
            having.close()
            if reuse or error.errno != errno.EADDRINUSE:
                raise _taken(host, port, error) from None
        else:
            break
    return having


def _taken(host: str, port: int, error: OSError) -> Refused:
    return Refused(f"Cannot listen on {host}:{port}: {error.strerror}.")


def _listen(having: socket.socket) -> socket.socket:
    """One listening socket, shared by all workers, which the kernel wakes in turn."""
    having.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, True)  # its connections must not keep the port after us
    try:
        having.listen(2048)
    except OSError as error:
        host, port = having.getsockname()[:2]
        having.close()
        raise _taken(host, port, error) from None
    having.set_inheritable(True)
    return having


def _refuse_in_use(path: Path) -> None:
    """A second service would take the proxy's calls away from the first, and end them with itself."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        if probe.connect_ex(str(path)) == 0:
            raise Refused(f"Another service listens on {path} (LIAISON_PROXY_SOCKET).")


def _listen_to_proxy(path: Path) -> socket.socket:
    """The socket over which the proxy is believed. Whoever may open it, owner and group, is the proxy."""
    if path.is_socket():
        _refuse_in_use(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o117)  # never open to others, at no moment
    try:
        if path.is_socket():
            path.unlink()  # of a service that was killed
        listening.bind(str(path))
    except OSError as error:
        listening.close()
        raise Refused(f"Cannot listen on {path} (LIAISON_PROXY_SOCKET): {error.strerror or error}.") from None
    finally:
        os.umask(before)
    listening.listen(2048)
    listening.set_inheritable(True)
    return listening
