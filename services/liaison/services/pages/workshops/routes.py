"""The addresses of the sessions of education programmes."""

from starlette.routing import BaseRoute

from liaison.auth.access.educators import ROLE
from liaison.services.pages.clinician.routes import READERS
from liaison.services.pages.page import page
from liaison.services.pages.role_names import LISTERS
from liaison.services.pages.workshops import (
    calendar,
    convocations,
    educating,
    keeping_first_name,
    listing,
    planning,
    session,
)

HOMES = {ROLE: educating.PATH}


def routes() -> list[BaseRoute]:
    return [
        page("/seances", listing.listing, roles=LISTERS),
        page("/seances/nouvelle", planning.planning, methods=("GET", "POST"), roles=LISTERS),
        page("/seances/{slot}", session.session, methods=("GET", "POST"), roles=LISTERS),
        page("/seances/{slot}/convocations", convocations.convocations, roles=LISTERS),
        page("/seances/{slot}/transports", convocations.transports, roles=LISTERS),
        page("/seances/{slot}/prenoms", convocations.first_names, roles=LISTERS),
        page(
            "/dossiers/{id}/accords/prenom/{appointment}",
            keeping_first_name.take_back,
            methods=("POST",),
            roles=READERS,
        ),
        page(educating.PATH, educating.mine, roles=frozenset({ROLE})),
        page("/seances/{slot}/agenda", calendar.calendar, roles=LISTERS),
    ]
