"""The addresses of the sessions of education programmes."""

from starlette.routing import BaseRoute

from liaison.services.pages.page import page
from liaison.services.pages.role_names import EDUCATORS
from liaison.services.pages.workshops import calendar, convocations, listing, planning, session


def routes() -> list[BaseRoute]:
    return [
        page("/seances", listing.listing, roles=EDUCATORS),
        page("/seances/nouvelle", planning.planning, methods=("GET", "POST"), roles=EDUCATORS),
        page("/seances/{slot}", session.session, methods=("GET", "POST"), roles=EDUCATORS),
        page("/seances/{slot}/convocations", convocations.convocations, roles=EDUCATORS),
        page("/seances/{slot}/agenda", calendar.calendar, roles=EDUCATORS),
    ]
