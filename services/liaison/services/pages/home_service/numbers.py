"""Nos numéros: whom the aides of the service call, on which days and at which hours; their telephones show the one of the hour."""

from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.people import service_numbers
from liaison.auth.people.service_numbers import ServiceNumber
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Request as FhirRequest
from liaison.services.house import House
from liaison.services.messages.addresses import mobile
from liaison.services.pages.home_service.ending import ended
from liaison.services.pages.home_service.readers import WHOLE_DAY, days_said, hours_said, minutes, week
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

PATH: Final = "/service/numeros"
_LONGEST: Final = 40


async def numbers(request: Request) -> Response:
    if request.method == "GET":
        return await _page(request)
    form = await request.form()
    typed = {name: str(form.get(name, "")).strip() for name in ("nom", "numero", "de", "a")}
    days = "".join(one for one in "1234567" if one in form.getlist("jour"))
    begins, ends = minutes(typed["de"]), minutes(typed["a"] or "00:00")
    problem = field = ""
    if not 0 < len(typed["nom"]) <= _LONGEST:
        problem = _("Dites qui répond à ce numéro, en moins de 40 lettres : « Accueil », « Astreinte ».")
        field = "nom"
    elif not mobile(typed["numero"]) or len(typed["numero"]) > _LONGEST:
        problem, field = _("Écrivez un numéro de téléphone."), "numero"
    elif not days or begins is None or ends is None or begins == WHOLE_DAY:
        problem, field = _("Donnez au moins un jour, et deux heures."), "de" if days else "jour-1"
    if problem:
        words = translations(language_of(request)).gettext(problem)
        return await _page(request, words, {**typed, "jours": days}, field)
    assert begins is not None
    assert ends is not None
    caller, _me = await signed_in(request)
    house: House = request.app.state.house
    one = ServiceNumber(0, typed["nom"], typed["numero"], days, begins, ends or WHOLE_DAY)
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            await service_numbers.record(connection, caller.organization, one, by=caller.account)
            told = FhirRequest("POST", PATH.lstrip("/"), address=address_of(request))
            await house.journal.record_within(
                connection, (entry(caller, Event.CONFIGURATION, request=told, detail={"act": Act.NUMBER}),)
            )
    return RedirectResponse(PATH, status_code=303)


async def finish(request: Request) -> Response:
    return await ended(request, service_numbers.end, Event.CONFIGURATION, Act.NUMBER, PATH)


async def _page(request: Request, problem: str = "", typed: dict[str, str] | None = None, field: str = "") -> Response:
    caller, _me = await signed_in(request)
    house: House = request.app.state.house
    with faults.reported():
        found = await service_numbers.of_service(house.database.reading, caller.organization)
    gettext = translations(language_of(request)).gettext
    return render(
        request,
        "home_service/numbers.html",
        status=422 if problem else 200,
        found=[(one, days_said(one.days, gettext), hours_said(one.begins, one.ends)) for one in found],
        now=service_numbers.at(found, Record(house.engine, caller).now()),
        days=week(gettext),
        problem=problem,
        field=field,
        typed=typed or {},
    )
