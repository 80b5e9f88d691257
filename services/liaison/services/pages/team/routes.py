"""The addresses of a manager's people."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from liaison.auth.people.managers import MANAGERS, REFERENT
from liaison.services.pages.page import page
from liaison.services.pages.team import acts, first_pin, listing, team, tour

MANAGED_BY = frozenset(MANAGERS)
HOMES = {REFERENT: listing.PATH}


def routes() -> list[BaseRoute]:
    async def equipe(request: Request) -> Response:
        return await (team.invite if request.method == "POST" else listing.show)(request)

    both, post = ("GET", "POST"), ("POST",)
    return [
        page(listing.PATH, equipe, methods=both, roles=MANAGED_BY, proven=listing.PATH),
        page("/equipe/code", acts.new_code, methods=post, roles=MANAGED_BY, proven=listing.PATH),
        page("/equipe/suspendre", acts.suspend, methods=post, roles=MANAGED_BY, proven=listing.PATH),
        page("/equipe/terminer", acts.finish, methods=post, roles=MANAGED_BY, proven=listing.PATH),
        page("/equipe/fin", acts.change_end, methods=post, roles=MANAGED_BY, proven=listing.PATH),
        page("/equipe/profession", acts.confirm, methods=post, roles=MANAGED_BY, proven=listing.PATH),
        page(tour.PATH, tour.tour, methods=both, roles=tour.MANAGERS, proven=tour.PATH),
        page("/premier-code", first_pin.first_pin, methods=both),
    ]
