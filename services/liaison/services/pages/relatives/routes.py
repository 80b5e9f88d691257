"""The address of a person's relatives."""

from starlette.routing import BaseRoute

from liaison.services.pages.clinician.routes import READERS
from liaison.services.pages.page import page
from liaison.services.pages.relatives.relatives import relatives


def routes() -> list[BaseRoute]:
    own = "/dossiers/{id}/proches"
    return [page(own, relatives, methods=("GET", "POST"), roles=READERS, proven=own)]
