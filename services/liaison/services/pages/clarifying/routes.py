"""The address of the questions."""

from starlette.routing import BaseRoute

from liaison.services.pages.clarifying import questions
from liaison.services.pages.clarifying.waiting import ASKED
from liaison.services.pages.page import page


def routes() -> list[BaseRoute]:
    return [page("/mes-acces", questions.questions, methods=("GET", "POST"), roles=ASKED)]
