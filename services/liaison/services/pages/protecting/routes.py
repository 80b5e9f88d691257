"""The addresses of protected reports."""

from typing import Final

from starlette.routing import BaseRoute

from liaison.services.pages.page import page
from liaison.services.pages.protecting import designating, giving, readers, reports

NAMERS: Final = frozenset({"home-service-manager"})


def routes() -> list[BaseRoute]:
    post = ("POST",)
    return [
        page(reports.PATH, reports.show, roles=readers.ROLES_THAT_READ),
        page(f"{reports.PATH}/confier", giving.give, methods=post, roles=readers.ROLES_THAT_READ, proven=reports.PATH),
        page(f"{reports.PATH}/designer", designating.designate, methods=post, roles=NAMERS, proven=reports.PATH),
        page(f"{reports.PATH}/retirer", designating.take_off, methods=post, roles=NAMERS, proven=reports.PATH),
    ]
