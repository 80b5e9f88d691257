"""The addresses of the software desk."""

from starlette.routing import BaseRoute

from liaison.services.pages.page import page
from liaison.services.pages.software import desk, vendor

DECIDERS = frozenset({"admin", "dpo"})
HOMES = {"admin": "/logiciels"}


def routes() -> list[BaseRoute]:
    return [
        page("/logiciels", desk.software, methods=("GET", "POST"), roles=DECIDERS, proven="/logiciels"),
        page("/editeurs/{secret}", vendor.state),
    ]
