"""The address of the reception desk."""

from starlette.routing import BaseRoute

from liaison.services.pages.page import page
from liaison.services.pages.reception.welcome import welcome
from liaison.services.pages.role_names import RECEIVERS


def routes() -> list[BaseRoute]:
    return [page("/accueillir", welcome, methods=("GET", "POST"), roles=RECEIVERS)]
