"""The addresses around apps."""

from starlette.routing import BaseRoute

from liaison.services.pages.applications import mine, opening
from liaison.services.pages.clinician.routes import READERS
from liaison.services.pages.page import page


def routes() -> list[BaseRoute]:
    return [
        page("/mes-applications", mine.my_applications, methods=("GET", "POST")),
        page("/dossiers/{id}/applications", opening.open_app, methods=("POST",), roles=READERS),
    ]
