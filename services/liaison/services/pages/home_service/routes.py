"""The addresses of the manager's desk."""

from typing import Final

from starlette.routing import BaseRoute

from liaison.services.pages.home_service import alerts, desk, shares, tours
from liaison.services.pages.page import page

MANAGERS: Final = frozenset({"home-service-manager"})


def routes() -> list[BaseRoute]:
    post = ("POST",)
    return [
        page(desk.PATH, desk.desk, roles=MANAGERS),
        page("/service/alertes/{task}", alerts.show, roles=MANAGERS),
        page("/service/alertes/{task}/appel", alerts.call, methods=post, roles=MANAGERS),
        page("/service/alertes/{task}/cloture", alerts.finish, methods=post, roles=MANAGERS),
        page(tours.PATH, tours.tours, roles=MANAGERS),
        page(f"{tours.PATH}/ajouter", tours.add, methods=post, roles=MANAGERS, proven=tours.PATH),
        page(f"{tours.PATH}/fichier", tours.bring, methods=post, roles=MANAGERS, proven=tours.PATH),
        page(shares.PATH, shares.shares, roles=MANAGERS),
    ]
