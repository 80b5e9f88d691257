"""The address of a person's team."""

from starlette.routing import BaseRoute

from liaison.services.pages.circle.circle import circle
from liaison.services.pages.clinician.routes import READERS
from liaison.services.pages.page import page


def routes() -> list[BaseRoute]:
    return [page("/dossiers/{id}/equipe", circle, methods=("GET", "POST"), roles=READERS)]
