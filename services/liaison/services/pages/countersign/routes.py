"""The address of what is to be countersigned."""

from starlette.routing import BaseRoute

from liaison.services.pages.countersign import countersign
from liaison.services.pages.countersign.countersign import SUPERVISORS
from liaison.services.pages.page import page


def routes() -> list[BaseRoute]:
    return [
        page("/a-contresigner", countersign.show, roles=SUPERVISORS),
        page("/a-contresigner/signer", countersign.sign, methods=("POST",), roles=SUPERVISORS),
    ]
