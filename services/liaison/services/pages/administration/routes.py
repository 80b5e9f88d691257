"""The addresses of the administrators."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from liaison.services.pages.administration import people
from liaison.services.pages.page import page

HOMES = {"admin": people.PATH}


def routes() -> list[BaseRoute]:
    async def comptes(request: Request) -> Response:
        return await (people.invite if request.method == "POST" else people.show)(request)

    both, post = ("GET", "POST"), ("POST",)
    return [
        page(people.PATH, comptes, methods=both, roles=people.ADMINISTRATORS),
        page(f"{people.PATH}/suspendre", people.suspend, methods=post, roles=people.ADMINISTRATORS),
        page(f"{people.PATH}/retablir", people.recover, methods=post, roles=people.ADMINISTRATORS),
        page("/acces-retablis", people.recovered, methods=both, roles=people.READERS),
    ]
