"""The address of the tray."""

from starlette.routing import BaseRoute

from liaison.auth.people.phones import MANAGERS
from liaison.services.pages.checking import tray
from liaison.services.pages.page import page


def routes() -> list[BaseRoute]:
    return [page("/a-verifier", tray.tray, methods=("GET", "POST"), roles=MANAGERS)]
