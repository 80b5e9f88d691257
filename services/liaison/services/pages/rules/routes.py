"""The address of the rules: for anyone, signed in or not."""

from starlette.routing import BaseRoute

from liaison.services.pages.page import page
from liaison.services.pages.rules.rules import rules


def routes() -> list[BaseRoute]:
    return [page("/regles", rules)]
