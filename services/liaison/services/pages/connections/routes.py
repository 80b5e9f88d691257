"""The address of what one has open."""

from starlette.routing import BaseRoute

from liaison.services.pages.connections import mine
from liaison.services.pages.page import page


def routes() -> list[BaseRoute]:
    return [page(mine.PATH, mine.my_connections, methods=("GET", "POST"))]
