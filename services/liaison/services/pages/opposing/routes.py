"""The addresses of oppositions, maskings and what is withdrawn."""

from starlette.routing import BaseRoute

from liaison.auth.access.roles import ROLES, confirms
from liaison.services.pages.clinician.routes import READERS
from liaison.services.pages.opposing import confirming, masking, opposing, withdrawing
from liaison.services.pages.page import page

RECORDING = READERS | {"home-aide"}
CONFIRMING = frozenset(code for code in ROLES if confirms(code))


def routes() -> list[BaseRoute]:
    return [
        page(
            "/dossiers/{id}/opposition",
            opposing.oppose,
            methods=("GET", "POST"),
            roles=RECORDING,
            body_limit=opposing.SENT_LIMIT,
        ),
        page("/dossiers/{id}/accords/{consent}/retirer", withdrawing.withdraw, methods=("POST",), roles=READERS),
        page("/dossiers/{id}/masquer", masking.mask, methods=("POST",), roles=READERS),
        page("/oppositions", confirming.show, roles=CONFIRMING | {"dpo", "auditor"}),
        page("/oppositions/{id}", confirming.decide, methods=("POST",), roles=CONFIRMING),
        page("/oppositions/{id}/document", withdrawing.signed, roles=RECORDING | CONFIRMING),
    ]
