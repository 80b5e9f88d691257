"""Cohorte: who follows a protocol, what comes next, how late it is, who owns it; as a table, or as a board of the same rows."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.services.pages import clock
from liaison.services.pages.clarifying.waiting import waiting
from liaison.services.pages.coordination import calling, views
from liaison.services.pages.coordination.asked import BPCO, Asked, Known, asked, known
from liaison.services.pages.coordination.renewing import incomplete
from liaison.services.pages.coordination.rows import CONSENTS, STAGES, cohort
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

NOTABLE = 2
"""A change of the CAT of at least two points is told."""


def trend_said(trend: int | None, gettext: Gettext) -> str:
    """'' for a change that is not known or not notable."""
    if trend is None or abs(trend) < NOTABLE:
        return ""
    words = _("en baisse de %(points)s") if trend < 0 else _("en hausse de %(points)s")
    return gettext(words) % {"points": abs(trend)}


async def show(request: Request) -> Response:
    """The page; a form of it calls people back, or keeps this look under a name."""
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    choices = await known(record)
    look = asked(request.query_params, choices)
    error = ""
    if request.method == "POST":
        form = await request.form()
        if form.get("act") == "call":
            chosen = [str(one) for one in form.getlist("person")]
            if await calling.ask(record, me, chosen):
                return RedirectResponse("/cohorte/relances", status_code=303)
            error = _("Choisissez qui relancer.")
        elif form.get("act") in ("keep", "forget"):
            error = await views.change(request, me.account.number, look, form)
            if not error:
                return RedirectResponse(look.path(), status_code=303)
    return await _page(request, record, look, choices, error)


async def _page(request: Request, record: Record, look: Asked, choices: Known, error: str) -> Response:
    gettext = translations(language_of(request)).gettext
    _caller, me = await signed_in(request)
    titles = {name: title for name, (_url, title) in choices.protocols.items() if name != BPCO}
    found = await cohort(record, me, look, choices, clock.now(request).date())
    return render(
        request,
        "coordination/cohort.html",
        status=422 if error else 200,
        error=gettext(error) if error else "",
        look=look,
        cohort=found,
        stages=STAGES,
        consents=CONSENTS,
        protocols={BPCO: gettext(_("BPCO, tous les protocoles")), **titles},
        steps=choices.steps,
        kept=await views.of(request, me.account.number, choices),
        questions=await waiting(request),
        incomplete=await incomplete(record.engine, gettext),
        trend_said=lambda trend: trend_said(trend, gettext),
    )
