"""The addresses of a manager's people."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from liaison.auth.people.managers import MANAGERS, REFERENT
from liaison.services.pages.page import page
from liaison.services.pages.team import first_pin, team

MANAGED_BY = frozenset(MANAGERS)
HOMES = {REFERENT: team.PATH}


def routes() -> list[BaseRoute]:
    async def equipe(request: Request) -> Response:
        return await (team.invite if request.method == "POST" else team.show)(request)

    both, post = ("GET", "POST"), ("POST",)
    return [
        page(team.PATH, equipe, methods=both, roles=MANAGED_BY, proven=team.PATH),
        page("/equipe/code", team.new_code, methods=post, roles=MANAGED_BY, proven=team.PATH),
        page("/equipe/suspendre", team.suspend, methods=post, roles=MANAGED_BY, proven=team.PATH),
        page("/equipe/terminer", team.finish, methods=post, roles=MANAGED_BY, proven=team.PATH),
        page("/premier-code", first_pin.first_pin, methods=both),
    ]
