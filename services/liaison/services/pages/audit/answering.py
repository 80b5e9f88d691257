"""Répondre à un patient: the identity is typed, the reason is their own request, the answer is theirs alone and in words."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.services.pages.audit import identity_form
from liaison.services.pages.audit.identity_form import PATIENT_ASKS, NotFoundBy
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.signed_in import signed_in


async def answer_a_patient(request: Request) -> Response:
    caller, _me = await signed_in(request)
    if request.method == "GET":
        return render(request, "audit/answering.html", error="", given={})
    form = await identity_form.given(request)
    try:
        found = await identity_form.record_of(request, caller, form, PATIENT_ASKS)
    except NotFoundBy as error:
        words = translations(language_of(request)).gettext(error.sentence)
        return render(request, "audit/answering.html", status=error.status, error=words, given=form)
    return RedirectResponse(f"/journal/reponses/{found}", status_code=303)
