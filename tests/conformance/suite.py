"""All checks, in the order of the table."""

from . import backend, discovery, later, launches, openid
from .checks import EVERY, Check

MODULES = (discovery, launches, openid, later, backend)


def every() -> list[Check]:
    """Imported above, each module has added its own."""
    order = [module.__name__ for module in MODULES]
    return sorted(EVERY, key=lambda check: order.index(check.run.__module__))
