"""The addresses of the sheets to print."""

from starlette.routing import BaseRoute

from liaison.services.pages.clinician.routes import READERS
from liaison.services.pages.page import page
from liaison.services.pages.role_names import RECEIVERS
from liaison.services.pages.sheets import information, opposition_form


def routes() -> list[BaseRoute]:
    return [
        page("/accueillir/feuille", information.sheet, roles=RECEIVERS),
        page("/dossiers/{id}/feuille", information.sheet_of, roles=READERS),
        page("/opposition/feuille", opposition_form.form, roles=READERS | {"home-aide"}),
    ]
