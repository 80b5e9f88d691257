"""The addresses of the auditors' desk."""

from starlette.routing import BaseRoute

from liaison.services.pages.audit import doubts, integrity, notices, reviews, who_saw
from liaison.services.pages.page import page

OFFICERS = frozenset({"auditor", "dpo"})
HOMES = {"auditor": "/journal", "dpo": notices.PATH}


def routes() -> list[BaseRoute]:
    return [
        page(notices.PATH, notices.show, methods=("GET", "POST"), roles=notices.READERS),
        page("/journal", who_saw.questions, methods=("GET", "POST"), roles=OFFICERS),
        page("/journal/dossiers/{id}", who_saw.visits_to, roles=OFFICERS | who_saw.PERSONS),
        page("/journal/urgences", reviews.queue, roles=OFFICERS),
        page("/journal/urgences/{task}", reviews.review, methods=("GET", "POST"), roles=OFFICERS),
        page("/journal/identites", doubts.doubts, roles=OFFICERS),
        page("/journal/integrite", integrity.integrity, roles=OFFICERS),
    ]
