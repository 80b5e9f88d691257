"""All the pages. Each folder pages/<desk>/ with a `routes.py` is found by itself; its routes come before ours, so that
a desk may own an address such as '/'."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from starlette.routing import BaseRoute

from liaison.services import pages
from liaison.services.pages import left_open, phones, sign_in, static_files
from liaison.services.pages.page import page


def _desks() -> Iterator[ModuleType]:
    for package in pkgutil.iter_modules(pages.__path__):
        if package.ispkg:
            name = f"{pages.__name__}.{package.name}.routes"
            if importlib.util.find_spec(name) is not None:
                yield importlib.import_module(name)


def routes() -> list[BaseRoute]:
    found = list(_desks())
    homes: dict[str, str] = {}
    for desk in found:
        homes.update(getattr(desk, "HOMES", {}))
    resuming = page(left_open.ADDRESS + "/{handle}", left_open.resume)
    own = [resuming, *sign_in.routes(homes), *phones.routes(), *static_files.routes()]
    return [*(route for desk in found for route in desk.routes()), *own]
