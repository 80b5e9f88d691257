"""The addresses of emergency access."""

from starlette.routing import BaseRoute

from liaison.services.pages.clinician.record_pages import record_pages
from liaison.services.pages.page import page
from liaison.services.pages.role_names import URGENT
from liaison.services.pages.urgent import opened, opening


def routes() -> list[BaseRoute]:
    return [
        page("/urgence", opening.emergency, methods=("GET", "POST"), roles=URGENT),
        *record_pages("/urgence/{task}", opened.place, URGENT),
        page("/urgence/{task}/fin", opened.end, methods=("POST",), roles=URGENT),
    ]
