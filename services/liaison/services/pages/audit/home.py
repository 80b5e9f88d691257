"""The desk of the journal opens on the six questions; the first is asked at once, by an identity and a reason."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.journal.audit_rights import convention_of
from liaison.services.pages.audit import identity_form
from liaison.services.pages.audit.identity_form import REASONS, NotFoundBy
from liaison.services.pages.audit.still_open import still_open
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.signed_in import signed_in


async def home(request: Request) -> Response:
    caller, _me = await signed_in(request)
    if request.method == "GET":
        return await _show(request)
    form = await identity_form.given(request)
    try:
        found = await identity_form.record_of(request, caller, form, form.get("reason", ""))
    except NotFoundBy as error:
        return await _show(request, error, form)
    return RedirectResponse(f"/journal/dossiers/{found}", status_code=303)


async def _show(request: Request, error: NotFoundBy | None = None, form: dict[str, str] | None = None) -> Response:
    caller, _me = await signed_in(request)
    return render(
        request,
        "audit/questions.html",
        status=error.status if error else 200,
        reasons=REASONS,
        error=translations(language_of(request)).gettext(error.sentence) if error else "",
        given=form or {},
        waits=await still_open(request),
        convention=await convention_of(request.app.state.house.database.reading, caller.session),
    )
