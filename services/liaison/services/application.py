"""The ASGI application of one worker: the FHIR edge in front, Starlette for everything else."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any, Final

import structlog
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route

from liaison.fhir.errors import Unavailable
from liaison.fhir.store.faults import reported
from liaison.services import base, governing, limits, logs, memory
from liaison.services.api import health
from liaison.services.api.access_log import AccessLog
from liaison.services.api.edge import FhirEdge
from liaison.services.api.lingering import Lingering, has_body
from liaison.services.api.metrics import Metrics
from liaison.services.api.openapi import openapi
from liaison.services.house import House, Job
from liaison.services.installation import Kind, declared
from liaison.services.jobs.parent import stop_with_parent
from liaison.services.proxied import Proxied
from liaison.services.settings import Settings

log = structlog.get_logger()

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

FHIR: Final = "/fhir"
"""Where the FHIR base is in this process. A proxy that serves it below another path takes that path away."""
SANDBOX_NOTICE: Final = "Territoire de démonstration : données fictives. N’y écrivez rien de réel."
LIVE: Final = "/livez"

RETRY_SECONDS: Final = 0.5
DISCOVERY: Final = "/.well-known/smart-configuration"
NOBODY: Final = Proxied(None)


class Application:
    """Requests under the FHIR base go straight to the edge; the rest, and the lifespan, to Starlette."""

    def __init__(self, edge: FhirEdge, rest: Starlette, proxied: Proxied = NOBODY) -> None:
        self._edge = edge
        self._rest = rest
        self._proxied = proxied
        self._below = f"{edge.prefix}/"
        self._discovery = f"{edge.prefix}{DISCOVERY}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = self._proxied.settle(scope)
            if has_body(scope):
                ends = Lingering(receive, send)
                receive, send = ends.receive, ends.send
            path: str = scope["path"]
            if path == self._discovery:
                # SMART looks for this one document below the FHIR base; it is not FHIR.
                scope = {**scope, "path": DISCOVERY, "raw_path": DISCOVERY.encode()}
            elif path.startswith(self._below) or path == self._edge.prefix:
                await self._edge(scope, receive, send)
                return
            if path != LIVE and not hasattr(self._rest.state, "house"):
                await _not_yet(scope, receive, send)
                return
            if path != LIVE and (too_many := await limits.refused(scope, self._rest.state.house)):
                await too_many(scope, receive, send)
                return
        await self._rest(scope, receive, send)


_not_yet: Final = PlainTextResponse(
    "Le service attend sa base de données. Réessayez dans un instant.\n", 503, {"retry-after": "2"}
)


def routes() -> list[BaseRoute]:
    """Everything that is not FHIR. Each reads the open house from `request.app.state.house`."""
    from liaison.services.cds_hooks.service import routes as cds_routes
    from liaison.services.oauth.routes import routes as oauth_routes
    from liaison.services.pages.routes import routes as pages_routes

    return [*health.routes(), Route("/openapi.json", openapi), *oauth_routes(), *cds_routes(), *pages_routes()]


async def _say_what_it_is(app: Starlette, house: House) -> None:
    """A sandbox says so on every page, and lets its people in without enrolled phones. Only the base's own sealed
    declaration makes it one."""
    app.state.sandbox = await declared(house.database.reading, house.vault) is Kind.SANDBOX
    app.state.notice = SANDBOX_NOTICE if app.state.sandbox else ""


async def _serve(settings: Settings, app: Starlette, edge: FhirEdge) -> None:
    """Opens the house and keeps it open until cancelled. While the database is out of reach it tries again: a worker
    that starts in such a moment answers 503, like those that were there before it."""
    while True:
        try:
            async with House.opened(settings) as house:
                with reported():  # it may be lost again, just after it was reached
                    await _say_what_it_is(app, house)
                    await governing.note(house)
                app.state.house = house
                edge.engine, edge.authenticator = house.engine, house.authenticator
                await _work(house)
        except (Unavailable, base.NoDatabase) as error:
            log.warning("waiting for the database", reason=str(error))
            app.state.waiting = True
            await asyncio.sleep(RETRY_SECONDS)


async def _work(house: House) -> None:
    """Runs the jobs until cancelled."""
    async with asyncio.TaskGroup() as jobs:
        for job in house.jobs():
            jobs.create_task(_kept(job))


async def _kept(job: Job) -> None:
    """A job that ends by an error is a bug of its own: it is told, requests are served on, and it begins again."""
    while True:
        try:
            await job()
        except Exception:
            log.exception("a background job has ended; it begins again")
        await asyncio.sleep(RETRY_SECONDS)


async def _begun(serving: "asyncio.Task[None]", app: Starlette) -> None:
    """Returns when the house is open or its database is being waited for. Raises what makes serving impossible."""
    while not (hasattr(app.state, "house") or hasattr(app.state, "waiting")):
        await asyncio.wait([serving], timeout=0.02)
        if serving.done():
            serving.result()


def build(settings: Settings) -> Application:
    """One application a process. Its lifespan opens the house (database, vault, journal) and closes it."""
    access_log = AccessLog(enabled=settings.access_log)
    metrics = Metrics()
    edge = FhirEdge(FHIR, settings.body_limit_bytes, access_log, metrics, settings.cors_origins)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        serving = asyncio.create_task(_serve(settings, app, edge))
        watching = asyncio.create_task(stop_with_parent())
        try:
            await _begun(serving, app)
            memory.settle()
            yield
        finally:
            watching.cancel()
            serving.cancel()
            await asyncio.gather(serving, watching, return_exceptions=True)
            access_log.flush()
            metrics.flush()

    from liaison.services.pages.nowhere import around_pages

    rest = around_pages(Starlette(routes=routes(), lifespan=lifespan))
    rest.state.metrics = metrics
    return Application(edge, rest, Proxied(settings.proxy_socket))


def worker() -> Application:
    """The factory that each worker process calls; its settings come from the environment."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # where it was forked from, the signal waits
    logs.configure()
    return build(Settings())
