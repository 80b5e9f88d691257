"""The ASGI application of one worker: the FHIR edge in front, Starlette for everything else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any, Final

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from liaison.services import logs
from liaison.services.api import health
from liaison.services.api.access_log import AccessLog
from liaison.services.api.edge import FhirEdge
from liaison.services.api.metrics import Metrics
from liaison.services.house import House
from liaison.services.installation import Kind, declared
from liaison.services.settings import Settings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

FHIR: Final = "/fhir"
"""Where the FHIR base is in this process. A proxy that serves it below another path takes that path away."""
SANDBOX_NOTICE: Final = "Territoire de démonstration : données fictives. N’y écrivez rien de réel."
DISCOVERY: Final = "/.well-known/smart-configuration"


class Application:
    """Requests under the FHIR base go straight to the edge; the rest, and the lifespan, to Starlette."""

    def __init__(self, edge: FhirEdge, rest: Starlette) -> None:
        self._edge = edge
        self._rest = rest
        self._below = f"{edge.prefix}/"
        self._discovery = f"{edge.prefix}{DISCOVERY}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            if path == self._discovery:
                # SMART looks for this one document below the FHIR base; it is not FHIR.
                scope = {**scope, "path": DISCOVERY, "raw_path": DISCOVERY.encode()}
            elif path.startswith(self._below) or path == self._edge.prefix:
                await self._edge(scope, receive, send)
                return
        await self._rest(scope, receive, send)


def routes() -> list[BaseRoute]:
    """Everything that is not FHIR. Each reads the open house from `request.app.state.house`."""
    from liaison.services.oauth.routes import routes as oauth_routes
    from liaison.services.pages.routes import routes as pages_routes

    return [*health.routes(), *oauth_routes(), *pages_routes()]


async def _say_what_it_is(app: Starlette, house: House) -> None:
    """A sandbox says so on every page, and lets its people in without enrolled phones. Only the base's own sealed
    declaration makes it one."""
    app.state.sandbox = await declared(house.database.reading, house.vault) is Kind.SANDBOX
    app.state.notice = SANDBOX_NOTICE if app.state.sandbox else ""


def build(settings: Settings) -> Application:
    """One application a process. Its lifespan opens the house (database, vault, journal) and closes it."""
    access_log = AccessLog(enabled=settings.access_log)
    metrics = Metrics()
    edge = FhirEdge(FHIR, settings.body_limit_bytes, access_log, metrics)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with House.opened(settings) as house:
            app.state.house = house
            await _say_what_it_is(app, house)
            edge.engine, edge.authenticator = house.engine, house.authenticator
            jobs = [asyncio.create_task(job) for job in house.jobs()]
            try:
                yield
            finally:
                for job in jobs:
                    job.cancel()
                await asyncio.gather(*jobs, return_exceptions=True)
                access_log.flush()

    rest = Starlette(routes=routes(), lifespan=lifespan)
    rest.state.metrics = metrics
    return Application(edge, rest)


def worker() -> Application:
    """The factory that each worker process calls; its settings come from the environment."""
    logs.configure()
    return build(Settings())
