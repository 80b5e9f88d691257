"""The addresses of the shared notebook: a relative has one, others one for each person."""

from starlette.routing import BaseRoute

from liaison.services.pages.clinician.routes import READERS
from liaison.services.pages.notebook import naming, notebook
from liaison.services.pages.page import page

HOMES = {"caregiver": "/carnet"}


def routes() -> list[BaseRoute]:
    return [
        page("/carnet", notebook.notebook, methods=("GET", "POST"), roles=notebook.RELATIVES),
        page("/dossiers/{id}/carnet", notebook.notebook, methods=("GET", "POST"), roles=READERS | {"home-aide"}),
        page("/dossiers/{id}/carnet/proche", naming.name, methods=("POST",), roles=READERS),
    ]
