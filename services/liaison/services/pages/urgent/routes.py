"""The addresses of emergency access."""

from starlette.routing import BaseRoute

from liaison.services.pages.page import page
from liaison.services.pages.role_names import URGENT
from liaison.services.pages.urgent import opened, opening


def routes() -> list[BaseRoute]:
    return [
        page("/urgence", opening.emergency, methods=("GET", "POST"), roles=URGENT),
        page("/urgence/{task}", opened.dossier, roles=URGENT),
        page("/urgence/{task}/mesures", opened.measures, roles=URGENT),
        page("/urgence/{task}/documents", opened.documents, roles=URGENT),
        page("/urgence/{task}/plan", opened.plan, roles=URGENT),
        page("/urgence/{task}/fin", opened.end, methods=("POST",), roles=URGENT),
    ]
