"""The addresses of the coordinators' desk."""

from starlette.routing import BaseRoute

from liaison.services.measuring import ROLES
from liaison.services.pages.coordination import applying, calling, cohort, indicators, plans, steps
from liaison.services.pages.page import page
from liaison.services.pages.role_names import COORDINATORS, PLANNERS

HOMES = {"coordinator": "/cohorte", "coordinator-admin": "/cohorte/indicateurs"}


def routes() -> list[BaseRoute]:
    return [
        page("/cohorte", cohort.show, methods=("GET", "POST"), roles=COORDINATORS),
        page("/cohorte/relances", calling.sheet, methods=("GET", "POST"), roles=COORDINATORS),
        page("/cohorte/indicateurs", indicators.indicators, roles=ROLES),
        page("/cohorte/indicateurs.csv", indicators.table, roles=ROLES),
        page("/cohorte/indicateurs.pdf", indicators.sheet, roles=ROLES),
        page("/cohorte/etapes/{task}", steps.step, methods=("GET", "POST"), roles=PLANNERS),
        page("/cohorte/plans/{plan}", plans.plan, methods=("GET", "POST"), roles=PLANNERS),
        page("/cohorte/appliquer/{id}", applying.apply, methods=("GET", "POST"), roles=PLANNERS),
    ]
