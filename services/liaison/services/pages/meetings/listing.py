"""Réunions d'équipe: those of the last twelve months, counted, and a new one noted."""

from datetime import date, datetime, time, timedelta
from typing import Final

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.protocols.measures import year_before
from liaison.services.pages.clock import PARIS
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.meetings import agenda
from liaison.services.pages.reception.welcome import directory
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.role_names import TEAMED
from liaison.services.pages.signed_in import Me, address_of, signed_in
from liaison.services.pages.workshops.agenda import taken

LONGEST: Final = 480
"""Minutes."""


class NotNoted(ValueError):
    """What is wrong, in words to be translated."""


async def listing(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    people = [(reference, name) for reference, name, _role in await directory(record, me.role_reference, among=TEAMED)]
    people.insert(0, (me.role_reference, me.name))
    error, status, form = "", 200, FormData()
    if request.method == "POST":
        form = await request.form()
        try:
            where = await record.transact(_held(form, people, me, record.now()))
            return RedirectResponse(f"/reunions/{where[1].partition('/')[2]}", status_code=303)
        except NotNoted as problem:
            error, status = str(problem), 422
        except Refused as refused:
            if refused.answered != 403:
                raise
            error, status = _("Votre structure ne peut pas tenir d’agenda ici."), 403
    start = datetime.combine(year_before(record.now().date()), time(), PARIS)
    found = [one for one in await agenda.since(record, start) if one.kept_by == me.organization_reference]
    gettext = translations(language_of(request)).gettext
    return render(
        request,
        "meetings/listing.html",
        status=status,
        error=gettext(error) if error else "",
        meetings=found,
        discussed=await taken(request, caller, (one.id for one in found)),
        people=people,
        given={name: str(value) for name, value in form.items()},
        present=[str(one) for one in form.getlist("present")] or [me.role_reference],
        mine=me.role_reference,
    )


def _held(form: FormData, people: list[tuple[str, str]], me: Me, now: datetime) -> dict[str, object]:
    """Raises NotNoted."""
    try:
        day = date.fromisoformat(str(form.get("day", "")))
        start = datetime.combine(day, time.fromisoformat(str(form.get("at", ""))), PARIS)
    except ValueError:
        raise NotNoted(_("Donnez le jour et l’heure.")) from None
    if not now - timedelta(days=60) <= start <= now + timedelta(days=1):
        raise NotNoted(_("Une réunion se note le jour même, ou dans les 60 jours."))
    minutes = str(form.get("duration", ""))
    if not (minutes.isascii() and minutes.isdecimal() and len(minutes) < 4 and 0 < int(minutes) <= LONGEST):
        raise NotNoted(_("Donnez la durée en minutes, de 1 à 480."))
    wanted = form.getlist("present")
    chosen = [one for one in people if one[0] in wanted]
    if len(chosen) < 2:
        raise NotNoted(_("Dites qui était présent : deux personnes au moins."))
    return agenda.held(start, start + timedelta(minutes=int(minutes)), chosen, me.organization_reference)
