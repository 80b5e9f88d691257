"""The address of a person's PPCS."""

from starlette.routing import BaseRoute

from liaison.services.pages.clinician.routes import READERS
from liaison.services.pages.page import page
from liaison.services.pages.ppcs.sheet import ppcs


def routes() -> list[BaseRoute]:
    return [page("/dossiers/{id}/ppcs", ppcs, roles=READERS - {"secretary"})]
