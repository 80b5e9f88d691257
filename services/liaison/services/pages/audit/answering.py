"""Répondre à un patient: the identity is typed, the reason is their own request, the answer is theirs alone and in words.

Who asks is said first: who represents the person reads less than the person (rule 22), and is told of less.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.services.pages.audit import identity_form, person_view
from liaison.services.pages.audit.identity_form import PATIENT_ASKS, NotFoundBy
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.signed_in import signed_in

WHO: Final = {"personne": _("La personne elle-même"), "representant": _("Son représentant légal")}


async def answer_a_patient(request: Request) -> Response:
    caller, _me = await signed_in(request)
    if request.method == "GET":
        return render(request, "audit/answering.html", error="", given={}, who=WHO)
    form = await identity_form.given(request)
    try:
        if form.get("qui") not in WHO:
            raise NotFoundBy(_("Dites qui demande : la personne elle-même, ou son représentant légal."), 400)
        found = await identity_form.record_of(request, caller, form, PATIENT_ASKS)
        where = f"{person_view.PATH}/{found}"
        if form["qui"] == "representant":
            where += person_view.REPRESENTED
            if not await person_view.represented(request, found):
                raise NotFoundBy(_("Personne ne représente cette personne aujourd'hui, d'après son dossier."), 409)
    except NotFoundBy as error:
        words = translations(language_of(request)).gettext(error.sentence)
        return render(request, "audit/answering.html", status=error.status, error=words, given=form, who=WHO)
    return RedirectResponse(where, status_code=303)
