"""The addresses of the team meetings."""

from starlette.routing import BaseRoute

from liaison.services.pages.meetings import listing, meeting
from liaison.services.pages.page import page
from liaison.services.pages.role_names import MEETERS


def routes() -> list[BaseRoute]:
    return [
        page("/reunions", listing.listing, methods=("GET", "POST"), roles=MEETERS),
        page("/reunions/{slot}", meeting.meeting, methods=("GET", "POST"), roles=MEETERS),
    ]
