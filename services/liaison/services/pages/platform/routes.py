"""The addresses of the platform's desk."""

from starlette.routing import BaseRoute

from liaison.services.pages.clinician.record_pages import record_pages
from liaison.services.pages.page import page
from liaison.services.pages.platform import call, calls, taken
from liaison.services.pages.role_names import CALLED

DOCTORS = frozenset({calls.DOCTOR})
HOMES = dict.fromkeys(CALLED, "/appels")


def routes() -> list[BaseRoute]:
    return [
        page("/appels", calls.calls, methods=("GET", "POST"), roles=CALLED),
        page("/appels/{task}", call.call, methods=("GET", "POST"), roles=CALLED),
        page("/appels/{task}/prendre", taken.take, methods=("POST",), roles=DOCTORS),
        *record_pages("/appels/{task}/dossier", taken.place, DOCTORS),
    ]
