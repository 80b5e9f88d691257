"""The address of the page, beside the record that it is about."""

from starlette.routing import BaseRoute

from liaison.services.pages.online_access.checking import checking
from liaison.services.pages.page import page
from liaison.services.pages.role_names import CHECKERS


def routes() -> list[BaseRoute]:
    return [
        page("/dossiers/{id}/acces", checking, methods=("GET", "POST"), roles=CHECKERS, proven="/dossiers/{id}/acces")
    ]
