"""The addresses of who answers for how long records are kept."""

from starlette.routing import BaseRoute

from liaison.services.pages.page import page
from liaison.services.pages.retention import holding, planned


def routes() -> list[BaseRoute]:
    both = ("GET", "POST")
    return [
        page(planned.PATH, planned.planned, methods=both, roles=planned.READERS, proven=planned.PATH),
        page(
            f"{planned.PATH}/archiver", planned.archive, methods=("POST",), roles=planned.READERS, proven=planned.PATH
        ),
        page(f"{planned.PATH}/rouvrir", planned.reopen, methods=("POST",), roles=planned.READERS, proven=planned.PATH),
        page(holding.PATH, holding.holding, methods=both, roles=planned.READERS, proven=holding.PATH),
        page(f"{holding.PATH}/lever", holding.lift, methods=("POST",), roles=planned.READERS, proven=holding.PATH),
    ]
