"""The addresses of the administrators."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from liaison.services.pages.administration import account, doubtful, people, recovered, suspensions
from liaison.services.pages.page import Endpoint, page

HOMES = {"admin": people.PATH}


def routes() -> list[BaseRoute]:
    async def comptes(request: Request) -> Response:
        return await (people.invite if request.method == "POST" else people.show)(request)

    def act(name: str, endpoint: Endpoint) -> Route:
        path = f"{people.PATH}/{name}"
        return page(path, endpoint, methods=("POST",), roles=people.ADMINISTRATORS, proven=people.PATH)

    both = ("GET", "POST")
    return [
        page(people.PATH, comptes, methods=both, roles=people.ADMINISTRATORS, proven=people.PATH),
        page(f"{people.PATH}/{{compte}}", account.show, roles=people.ADMINISTRATORS),
        act("suspendre", account.suspend),
        act("lien", account.new_link),
        act("fin", account.change_end),
        act("retablir", account.recover),
        act("profession", account.confirm_profession),
        act("identite", doubtful.decide),
        page(
            suspensions.PATH,
            suspensions.suspensions,
            methods=both,
            roles=people.ADMINISTRATORS,
            proven=suspensions.PATH,
        ),
        page("/acces-retablis", recovered.recovered, methods=both, roles=recovered.READERS, proven="/acces-retablis"),
    ]
