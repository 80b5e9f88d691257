"""The addresses of protected reports."""

from typing import Final

from starlette.routing import BaseRoute

from liaison.auth.access.roles import ROLES
from liaison.services.pages.page import page
from liaison.services.pages.protecting import reports

READERS: Final = frozenset(
    code
    for code, role in ROLES.items()
    if role.category in ("health", "psychologist", "social", "coordination") and code != "home-aide"
)
NAMERS: Final = frozenset({"home-service-manager"})


def routes() -> list[BaseRoute]:
    post = ("POST",)
    return [
        page(reports.PATH, reports.show, roles=READERS),
        page(f"{reports.PATH}/designer", reports.designate, methods=post, roles=NAMERS, proven=reports.PATH),
        page(f"{reports.PATH}/retirer", reports.take_off, methods=post, roles=NAMERS, proven=reports.PATH),
    ]
