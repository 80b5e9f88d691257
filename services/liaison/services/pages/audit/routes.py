"""The addresses of the auditors' desk."""

from starlette.routing import BaseRoute

from liaison.auth.access.roles import OFFICERS
from liaison.services.pages.audit import (
    answering,
    asked,
    asking,
    case_letter,
    case_sheet,
    cases,
    counts,
    doubts,
    entry_page,
    exporting,
    home,
    integrity,
    named_reviews,
    naming,
    notices,
    person_view,
    professionals,
    reviews,
    revue_sheet,
    search,
    unusual,
    unusual_rules,
    who_saw,
)
from liaison.services.pages.page import page

HOMES = {"auditor": "/journal", "dpo": notices.PATH}
_FORM = ("GET", "POST")


def routes() -> list[BaseRoute]:
    return [
        page(notices.PATH, notices.show, methods=_FORM, roles=notices.READERS),
        page("/journal", home.home, methods=_FORM, roles=OFFICERS),
        page("/journal/recherche", search.search, roles=OFFICERS),
        page("/journal/professionnels", professionals.choose, methods=_FORM, roles=OFFICERS),
        page("/journal/repondre", answering.answer_a_patient, methods=_FORM, roles=OFFICERS),
        page("/journal/export.csv", exporting.export_csv, roles=OFFICERS),
        page("/journal/export.ndjson", exporting.export_ndjson, roles=OFFICERS),
        page("/journal/export.pdf", exporting.export_pdf, roles=OFFICERS),
        *(
            page(f"{person_view.PATH}/{{id}}{whose}{form}", shown, roles=OFFICERS)
            for whose in ("", person_view.REPRESENTED)
            for form, shown in (("", person_view.answer), ("/pdf", person_view.answer_printed))
        ),
        page("/journal/dossiers/{id}/pdf", who_saw.printed, roles=who_saw.PERSONS),
        page("/journal/dossiers/{id}/nom", naming.name, methods=_FORM, roles=OFFICERS),
        page("/journal/dossiers/{id}/question", asking.ask, methods=_FORM, roles=who_saw.PERSONS),
        page("/journal/questions", asked.listed, roles=asked.ANSWERERS),
        page("/journal/questions/{number}", asked.one, methods=_FORM, roles=asked.ANSWERERS),
        page(named_reviews.PATH, named_reviews.every, methods=_FORM, roles=OFFICERS),
        page("/journal/revues/{number}", named_reviews.one, roles=OFFICERS),
        page("/journal/revues/{number}/pdf", revue_sheet.sheet, roles=OFFICERS),
        page(
            "/journal/revues/{number}/signer",
            named_reviews.sign,
            methods=("POST",),
            roles=OFFICERS,
            proven="/journal/revues/{number}",
        ),
        page("/journal/lignes/{id}", entry_page.entry_page, methods=_FORM, roles=OFFICERS),
        page("/journal/dossiers/{id}", who_saw.visits_to, roles=OFFICERS | who_saw.PERSONS),
        page("/journal/urgences", reviews.queue, roles=OFFICERS),
        page("/journal/urgences/{task}", reviews.review, methods=_FORM, roles=OFFICERS),
        page(f"{unusual.PATH}/{{access}}", unusual.review, methods=_FORM, roles=OFFICERS),
        page(unusual_rules.PATH, unusual_rules.every, methods=_FORM, roles=OFFICERS),
        page(f"{unusual_rules.PATH}/{{rule}}", unusual_rules.one, methods=_FORM, roles=OFFICERS),
        page(cases.PATH, cases.every, roles=OFFICERS),
        page(f"{cases.PATH}/{{number}}", cases.one, methods=_FORM, roles=OFFICERS),
        page(f"{cases.PATH}/{{number}}/feuille", case_sheet.sheet, roles=OFFICERS),
        page(
            f"{cases.PATH}/{{number}}/lettre",
            case_letter.letter,
            methods=("POST",),
            roles=OFFICERS,
            proven=f"{cases.PATH}/{{number}}",
            taken_again=True,
        ),
        page(counts.PATH, counts.counts, roles=OFFICERS),
        page("/journal/identites", doubts.doubts, roles=OFFICERS),
        page("/journal/integrite", integrity.integrity, methods=("GET", "POST"), roles=OFFICERS),
        page("/journal/preuve", integrity.line, roles=OFFICERS),
        page("/journal/point-signe", integrity.checkpoint, roles=OFFICERS),
        page("/journal/cle-publique", integrity.key, roles=OFFICERS),
    ]
