"""The addresses of who keeps identities."""

from starlette.routing import BaseRoute

from liaison.services.pages.identities import compare, death, doubles, identity
from liaison.services.pages.page import page
from liaison.services.pages.role_names import RECEIVERS


def routes() -> list[BaseRoute]:
    both = ("GET", "POST")
    return [
        page(doubles.PATH, doubles.show, roles=RECEIVERS),
        page(doubles.PATH + "/{one}/{other}", compare.compare, methods=both, roles=RECEIVERS),
        page("/dossiers/{id}/identite", identity.show, roles=RECEIVERS),
        page("/dossiers/{id}/identite/verifiee", identity.verified, methods=("POST",), roles=RECEIVERS),
        page("/dossiers/{id}/identite/corriger", identity.correct, methods=("POST",), roles=RECEIVERS),
        page("/dossiers/{id}/identite/deces", death.say, methods=("POST",), roles=RECEIVERS),
        page("/dossiers/{id}/identite/separer", identity.unmerge, methods=("POST",), roles=RECEIVERS),
    ]
