"""« Saisir une feuille »: a visit that was written on paper is typed in with its true date, in the name of the aide who made it.

Whoever types it in is named beside her, and the visit says « transcrit du papier ».
"""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import uuid4

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.fhir.errors import BadRequest
from liaison.protocols.answers import Answer, items
from liaison.protocols.forms import arranged, canonical, wanted
from liaison.protocols.visit import Invalid, Visit, transaction
from liaison.services import visit_forms
from liaison.services.house import House
from liaison.services.pages import clock, once
from liaison.services.pages.clinician.dossier import found, patient_or_404
from liaison.services.pages.clock import PARIS
from liaison.services.pages.home_care import again, answering, merging
from liaison.services.pages.home_care.visit import number_of, teams_of
from liaison.services.pages.home_service import paper_sheet
from liaison.services.pages.home_service.naming import aide_reference
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import SignedIn, address_of, signed_in
from liaison.services.pages.team.listing import Listed, listed

Tree = dict[str, Any]
BACK: Final = timedelta(days=62)
"""How old a sheet may be that is typed in."""


async def paper(request: Request) -> Response:
    signed = await signed_in(request)
    record = Record(request.app.state.house.engine, signed.caller, address_of(request))
    if request.method == "GET":
        return await _show(request, record)
    form = await request.form()
    async with once.alone(request.app.state.house, f"visit {number_of(form)}"):
        return await _file(request, signed, record, form)


async def _show(
    request: Request,
    record: Record,
    problems: Mapping[str, str] | None = None,
    given: Mapping[str, Answer] | None = None,
    form: FormData | None = None,
) -> Response:
    patient = await patient_or_404(record, request.path_params["id"])
    planned = await record.read(f"Appointment/{request.query_params.get('rendez-vous', '')}") if form is None else None
    at = moments.happened(planned) if planned else None
    typed: Mapping[str, Any] = form or {}
    asked = await _asked(request, record, str(typed.get("asked", "")), str(patient["id"]), planned)
    in_order = arranged(asked).in_order
    return render(
        request,
        "home_service/paper.html",
        status=400 if problems else 200,
        patient=patient,
        who=identity(patient),
        asked=canonical(asked),
        questions=[one for one in in_order if one.link not in ("start", "end")],
        texts={one.link: one.text for one in items(asked)},
        aides=[(str(one.of.role), one.name) for one in await _visiting(request, record)],
        aide=str(typed.get("aide", "")),
        day=str(typed.get("jour", "")) or (at.date().isoformat() if at else ""),
        start=str(typed.get("start", "")) or (f"{at:%H:%M}" if at else ""),
        end=str(typed.get("end", "")),
        appointment=str(typed.get("appointment", "")) or (str(planned["id"]) if planned else ""),
        visit_id=str(typed.get("visit", "")) or str(uuid4()),
        latest=record.now().date(),
        given=given or {},
        problems=problems or {},
    )


async def _file(request: Request, signed: SignedIn, record: Record, form: FormData) -> Response:
    gettext = translations(language_of(request)).gettext
    house: House = request.app.state.house
    id_, now = request.path_params["id"], clock.now(request)
    await patient_or_404(record, id_)
    takers = [one for one in await _visiting(request, record) if str(one.of.role) == str(form.get("aide", ""))]
    day = _day(str(form.get("jour", "")))
    problems = {}
    if not takers:
        problems["aide"] = gettext(_("Choisissez qui a fait la visite."))
    if day is None or day > now.date() or day < (now - BACK).date():
        problems["jour"] = gettext(_("Donnez le jour de la visite : aujourd'hui, ou dans les deux derniers mois."))
    evening = datetime.combine(day or now.date(), time(23, 59), PARIS)
    asked = await _asked(request, record, str(form.get("asked", "")), id_, None)
    answers = answering.answered(form, asked, evening)
    if problems:
        return await _show(request, record, problems, answers, form)
    me, appointment = signed.me, str(form.get("appointment", ""))
    made = Visit(
        id=number_of(form),
        patient=f"Patient/{id_}",
        aide=aide_reference(record, takers[0]),
        service={"reference": me.organization_reference, "display": me.organization_name},
        answers=answers,
        recorded=now,
        appointment=f"Appointment/{appointment}" if appointment else "",
        transcribed_by=me.signature,
        paper=True,
        teams=await teams_of(house, signed, id_),
        asked=canonical(asked),
    )
    try:
        bundle = transaction(await visit_forms.known(house.database, [made.asked]), made)
    except Invalid as invalid:
        words = {link: answering.in_words(problem, gettext) for link, problem in invalid.problems.items()}
        return await _show(request, record, words, answers, form)
    if problems := _hours(answers, now, gettext):
        return await _show(request, record, problems, answers, form)
    if await _recorded_otherwise(record, made):
        words = {"jour": gettext(_("Une visite est déjà enregistrée pour ce passage."))}
        return await _show(request, record, words, answers, form)
    await record.transact(bundle)
    if merging.raises(bundle):
        await merging.merged(house, signed.caller, made.patient)
    return RedirectResponse(f"/service?saisie={id_}", status_code=303)


async def _visiting(request: Request, record: Record) -> list[Listed]:
    """Who may have made a visit of which the sheet is typed in: also those who have left since."""
    caller, _me = await signed_in(request)
    since = record.now() - BACK
    return [one for one in await listed(request, caller) if one.on_phone and one.of.ends > since]


async def _asked(request: Request, record: Record, address: str, patient: str, planned: Tree | None) -> Tree:
    """The version that is being typed in; else the one in force of the tour line, or of the person's week
    that the sheet is of."""
    database, caller = request.app.state.house.database, record.caller
    if address:
        if (form := await visit_forms.asked(database, address, caller.organization)) is None:
            raise BadRequest("The form of this visit is not one of this service.")
        return form
    if planned is not None:
        return (await visit_forms.in_force(database, caller.organization))[wanted(planned, ())].form
    monday = paper_sheet.week_of(request.query_params.get("semaine", ""), record.now().date())
    return await paper_sheet.form_of(request, record, caller, patient, monday)


def _hours(answers: Mapping[str, Answer], now: datetime, gettext: Any) -> dict[str, str]:
    """A visit of today may not begin later than now, and none ends before it began."""
    start, end = answering.moment(str(answers["start"])), answering.moment(str(answers.get("end", "")))
    if start is not None and start > now + answering.AHEAD:
        return {"start": gettext(_("Cette heure n'est pas encore passée. Vérifiez-la."))}
    if start is not None and end is not None and end < start:
        return {"end": gettext(_("Cette heure n'est pas possible. Vérifiez-la."))}
    return {}


async def _recorded_otherwise(record: Record, made: Visit) -> bool:
    if not made.appointment:
        return False
    query = {"patient": made.patient, "appointment": made.appointment, "status": "finished,cancelled"}
    return any(again.number_of(one) != made.id for one in await found(record, "Encounter", query, 5))


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None
