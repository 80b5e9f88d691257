"""The four pages of one person's record: the same at each address, decided by what the session of its Place may see."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from liaison.services.pages.clinician import dossier, history, observations, plan
from liaison.services.pages.clinician.place import Place
from liaison.services.pages.page import page

Where = Callable[[Request], Awaitable[Place]]
"""Whose record the request is about, asked anew each time; NotFound for one that is not open to them."""


def record_pages(path: str, where: Where, roles: frozenset[str]) -> list[BaseRoute]:
    def shown(show: Callable[[Request, Place], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            return await show(request, await where(request))

        return endpoint

    return [
        page(path, shown(dossier.show), roles=roles),
        page(f"{path}/mesures", shown(observations.show), roles=roles),
        page(f"{path}/documents", shown(history.show), roles=roles),
        page(f"{path}/plan", shown(plan.show), roles=roles),
    ]
