"""The addresses of Pro Santé Connect. Where it is not configured there is nothing here."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from liaison.fhir.errors import FhirError
from liaison.services.pages.page import page
from liaison.services.pages.pro_sante_connect import signing_in, signing_out


def _told(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """For the provider's own calls: no page, no form of ours, no cookie."""

    async def run(request: Request) -> Response:
        try:
            return await endpoint(request)
        except FhirError as error:
            return Response(status_code=error.status, headers={"cache-control": "no-store"})

    return run


def routes() -> list[BaseRoute]:
    return [
        page("/psc/connexion", signing_in.leave, methods=("POST",)),
        page("/psc/retour", signing_in.come_back),
        Route("/psc/deconnexion", _told(signing_out.back_channel), methods=["POST"]),
        Route("/psc/deconnexion", _told(signing_out.front_channel), methods=["GET"]),
    ]
