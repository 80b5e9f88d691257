"""The addresses of the coordinators' desk."""

from starlette.routing import BaseRoute

from liaison.services.pages.coordination import applying, cohort, steps
from liaison.services.pages.page import page
from liaison.services.pages.role_names import COORDINATORS

HOMES = {"coordinator": "/cohorte", "coordinator-admin": "/cohorte/indicateurs"}


def routes() -> list[BaseRoute]:
    return [
        page("/cohorte", cohort.cohort, roles=COORDINATORS),
        page("/cohorte/indicateurs", cohort.indicators, roles=frozenset({"coordinator-admin"})),
        page("/cohorte/etapes/{task}", steps.step, methods=("GET", "POST"), roles=COORDINATORS),
        page("/cohorte/appliquer/{id}", applying.apply, methods=("GET", "POST"), roles=COORDINATORS),
    ]
