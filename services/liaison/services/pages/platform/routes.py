"""The addresses of the platform's desk."""

from starlette.routing import BaseRoute

from liaison.services.pages.page import page
from liaison.services.pages.platform import call, calls

HANDLERS = frozenset({"call-handler"})
HOMES = {"call-handler": "/appels"}


def routes() -> list[BaseRoute]:
    return [
        page("/appels", calls.calls, methods=("GET", "POST"), roles=HANDLERS),
        page("/appels/{task}", call.call, methods=("GET", "POST"), roles=HANDLERS),
    ]
