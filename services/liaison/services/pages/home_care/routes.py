"""The addresses of the home-care desk."""

from starlette.routing import BaseRoute

from liaison.services.pages.home_care import home_again, telephone, telephone_page, today, visit
from liaison.services.pages.page import page

AIDES = telephone.AIDES
HOMES = {"home-aide": "/aujourdhui", "home-service-manager": "/aujourdhui"}


def routes() -> list[BaseRoute]:
    return [
        page("/aujourdhui", today.today, roles=AIDES),
        page("/aujourdhui/retour/{id}", home_again.home_again, methods=("POST",), roles=AIDES),
        page("/visite/{id}", visit.visit, methods=("GET", "POST"), roles=AIDES, taken_again=True),
        *telephone.routes(),
        *telephone_page.routes(),
    ]
