"""The address of the demonstration app. In a base that is no sandbox there is nothing here."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from liaison.fhir.errors import NotFound
from liaison.services.pages.layout import render
from liaison.services.pages.page import page
from liaison.services.sandbox.clients import EXAMPLE, EXAMPLE_PATH


async def example(request: Request) -> Response:
    """One page for every step: opened on a record, opened by itself, and coming back with a code. It knows the service
    as any app does: by its FHIR base, and nothing else."""
    if not getattr(request.app.state, "sandbox", False):
        raise NotFound
    settings = request.app.state.house.settings
    redirect = settings.public_url + EXAMPLE_PATH
    return render(request, "example/example.html", fhir=settings.fhir_base, client_id=EXAMPLE, redirect=redirect)


def routes() -> list[BaseRoute]:
    return [page(EXAMPLE_PATH, example)]
