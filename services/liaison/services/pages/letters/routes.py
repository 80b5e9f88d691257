"""The addresses of the letters to send."""

from starlette.routing import BaseRoute

from liaison.services.pages.letters import letters
from liaison.services.pages.letters.letters import DOCTORS
from liaison.services.pages.page import page


def routes() -> list[BaseRoute]:
    return [
        page("/lettres", letters.letters, roles=DOCTORS),
        page("/lettres/{id}", letters.letter, roles=DOCTORS),
        page("/lettres/{id}/envoyee", letters.sent, methods=("POST",), roles=DOCTORS),
    ]
