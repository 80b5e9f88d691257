"""The addresses of the first access."""

from starlette.routing import BaseRoute

from liaison.services.pages.first_access import first_access
from liaison.services.pages.page import page


def routes() -> list[BaseRoute]:
    return [page("/premier-acces/{token}", first_access.first_access, methods=("GET", "POST"))]
