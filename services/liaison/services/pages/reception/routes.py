"""The addresses of the reception desk."""

from starlette.routing import BaseRoute

from liaison.services.pages.page import page
from liaison.services.pages.reception import several
from liaison.services.pages.reception.people_file import SENT_LIMIT
from liaison.services.pages.reception.welcome import welcome
from liaison.services.pages.role_names import RECEIVERS


def routes() -> list[BaseRoute]:
    both = ("GET", "POST")
    return [
        page("/accueillir", welcome, methods=both, roles=RECEIVERS),
        page(several.PATH, several.several, methods=both, roles=RECEIVERS, body_limit=SENT_LIMIT),
    ]
