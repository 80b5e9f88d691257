"""Visite: « À savoir » first, the questions of the form, and the filing of the answers as one transaction."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import internal
from liaison.auth.caller import Caller
from liaison.fhir.errors import BadRequest, NotFound
from liaison.protocols import flagging
from liaison.protocols.amending import Obstacle, Recorded, answers_of
from liaison.protocols.answers import Answer, Item, items
from liaison.protocols.forms import arranged, canonical, form_of, wanted
from liaison.protocols.visit import Invalid, Visit, transaction
from liaison.services import visit_forms
from liaison.services.alerting import reading_now
from liaison.services.house import House
from liaison.services.pages import clock, once
from liaison.services.pages.clinician.dossier import found, patient_or_404
from liaison.services.pages.home_care import again, answering, comparing, merging
from liaison.services.pages.home_care.today import service_phone
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reading.measures import reckoned
from liaison.services.pages.reading.states import in_force
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import Me, SignedIn, address_of, signed_in

Tree = dict[str, Any]


async def visit(request: Request) -> Response:
    return await (_file(request) if request.method == "POST" else _show(request))


async def _show(
    request: Request,
    problems: Mapping[str, str] | None = None,
    given: Mapping[str, Answer] | None = None,
    earlier: Tree | None = None,
) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    id_ = request.path_params["id"]
    patient = await patient_or_404(record, id_)
    mine = {"patient": f"Patient/{id_}", "_count": "20"}
    # What was typed comes back in the form, its number too: sending it again files one visit.
    posted = await request.form() if request.method == "POST" else {}
    now = clock.now(request)
    kept = await _opened(record, request, id_) if not posted else None
    start = moments.happened(kept.encounter) if kept else None
    reference = next((one.get("reference", "") for one in kept.encounter.get("appointment", [])), "") if kept else ""
    planned = reference.removeprefix("Appointment/") or request.query_params.get("rendez-vous", "")
    form = await _asked(request, record, caller, posted, kept, planned)
    flags, last, phone = await asyncio.gather(
        found(record, "Flag", {**mine, **flagging.BESIDES}),
        last_measures(record, id_, form),
        service_phone(record, me.organization_reference),
    )
    return render(
        request,
        "home_care/visit.html",
        status=400 if problems else 409 if earlier else 200,
        patient=patient,
        who=identity(patient),
        flags=in_force(flags, now)[:3],
        last=last,
        phone=phone,
        form=arranged(form),
        questions=arranged(form).questions,
        asked=canonical(form),
        start=str(posted.get("start") or (start or now).strftime("%H:%M")),
        appointment=str(posted.get("appointment") or planned),
        visit_id=str(posted.get("visit") or (kept and again.number_of(kept.encounter)) or uuid4()),
        problems=problems or {},
        given=given or (answers_of(kept.library, kept.response) if kept and kept.response else {}),
        earlier=earlier,
        sent=start,
    )


async def _opened(record: Record, request: Request, patient: str) -> Recorded | None:
    """The recorded visit of this person that the address names (`visite`), to be corrected or completed. NotFound for
    none that is seen."""
    asked = request.query_params.get("visite", "")
    if not asked:
        return None
    encounter = await record.read(f"Encounter/{asked}")
    number = again.number_of(encounter) if encounter is not None else None
    kept = await again.recorded(record, number) if number is not None else None
    if kept is None or kept.encounter.get("subject", {}).get("reference") != f"Patient/{patient}":
        raise NotFound
    return kept


async def _file(request: Request) -> Response:
    signed = await signed_in(request)
    house: House = request.app.state.house
    form = await request.form()
    async with once.alone(house, f"visit {number_of(form)}"):
        return await _filed(request, signed, form)


async def _filed(request: Request, signed: SignedIn, form: FormData) -> Response:
    house: House = request.app.state.house
    record = Record(house.engine, signed.caller, address_of(request))
    id_, now = request.path_params["id"], clock.now(request)
    patient = await patient_or_404(record, id_)
    kept = await again.known(record, form, number_of(form))
    asked = await _asked(request, record, signed.caller, form, kept, "")
    answers = answering.answered(form, asked, now)
    if kept is not None and kept.encounter.get("subject", {}).get("reference") != f"Patient/{id_}":
        raise BadRequest("The number of this visit is that of another person's.")
    if kept is not None:
        answers = answering.same_start(answers, str(form.get("start", "")), kept.encounter)
    gettext = translations(language_of(request)).gettext
    far = answering.doubts(asked, answers, await last_measures(record, id_, asked))
    if doubted := {link: gettext(text) for link, text in far.items() if not form.get(f"{link}-checked")}:
        return await _show(request, doubted, answers)
    try:
        made = declared(form, asked, answers, id_, signed.me, await teams_of(house, signed, id_), now)
        bundle = transaction(await visit_forms.known(house.database, [made.asked]), made)
    except Invalid as invalid:
        words = {link: answering.in_words(problem, gettext) for link, problem in invalid.problems.items()}
        return await _show(request, words, answers)
    if outside := answering.out_of_time(answers, now, kept.encounter if kept else None):
        return await _show(request, {link: gettext(text) for link, text in outside.items()}, answers)
    if kept is not None and form.get(again.ADDED_TO):
        if note := await again.add(record, made, kept, [*items(asked)]):
            return RedirectResponse(f"/aujourdhui?mot={note}", status_code=303)
        return _beside(request, patient, form, asked, kept, made, Obstacle.CHANGED)
    if kept is None:
        if earlier := await _earlier(record, form, made):
            return await _show(request, given=answers, earlier=earlier)
        await record.transact(bundle)
    elif why := await again.amend(record, made, kept):
        return _beside(request, patient, form, asked, kept, made, why)
    # Whatever the way, « envoyé » is said of words that the record holds, and of none other.
    after = await again.recorded(record, made.id)
    if after is None or not again.holds(after, made):
        if after is None:
            raise NotFound
        return _beside(request, patient, form, asked, after, made, Obstacle.CHANGED)
    if merging.raises(bundle):
        await merging.merged(house, signed.caller, made.patient)
    return RedirectResponse(f"/aujourdhui?visite={after.encounter['id']}", status_code=303)


def _beside(
    request: Request, patient: Tree, form: FormData, asked: Tree, kept: Recorded, made: Visit, why: Obstacle
) -> Response:
    return again.beside(request, patient, form, kept, comparing.as_items([*items(asked)], made.answers), why)


async def _earlier(record: Record, form: FormData, made: Visit) -> Tree | None:
    """Another visit that was filed for the same appointment, and of which this form does not say that it was another:
    whoever goes back to a form that was sent finds it filled in again."""
    if not made.appointment:
        return None
    query = {"patient": made.patient, "appointment": made.appointment, "status": "finished", "_sort": "-date"}
    visits = await found(record, "Encounter", query, 5)
    return next((one for one in visits[:1] if one["id"] != form.get("another")), None)


async def _asked(
    request: Request, record: Record, caller: Caller, posted: Mapping[str, Any], kept: Recorded | None, planned: str
) -> Tree:
    """The form of this visit: of a recorded one the version that was filled in; of one that is being sent the version that was
    shown; else the one in force of the tour line, or the daily one."""
    house: House = request.app.state.house
    if kept is not None and kept.response is not None:
        return form_of(kept.library, kept.response.get("questionnaire", ""))
    if address := str(posted.get("asked", "")):
        if (form := await visit_forms.asked(house.database, address, caller.organization)) is None:
            raise BadRequest("The form of this visit is not one of this service.")
        return form
    line = await record.read(f"Appointment/{planned}") if planned else None
    return (await visit_forms.in_force(house.database, caller.organization))[wanted(line or {}, ())].form


async def last_measures(record: Record, patient: str, form: Tree) -> dict[str, Tree]:
    """The last value of each measure that the form would doubt, by linkId, as far as the aide may see it."""
    measured = {item.link: item for item in items(form) if item.gap is not None}
    if not measured:
        return {}
    query = {
        "patient": f"Patient/{patient}",
        "code": ",".join(f"{one.codes[0].get('system', '')}|{one.codes[0]['code']}" for one in measured.values()),
        "status:not": "cancelled,entered-in-error",
        "_sort": "-date",
        "_count": "20",
    }
    trees = [one for one in await found(record, "Observation", query, 20) if reckoned(one)]
    last = {link: next((one for one in trees if _measures(item, one)), None) for link, item in measured.items()}
    return {link: one for link, one in last.items() if one is not None}


def _measures(item: Item, tree: Tree) -> bool:
    codings = tree.get("code", {}).get("coding", [])
    return any(one.get("code") == item.codes[0]["code"] for one in codings)


async def teams_of(house: House, signed: SignedIn, patient: str) -> list[Tree]:
    """Who an alert can go to. An aide does not see the team: it is read for her by the principal that raises alerts,
    which the journal shows, and only for someone she visits."""
    cell = await internal.open_session(house.database.writing, "protocols", timedelta(minutes=1), caller=signed.caller)
    try:
        now = house.database.clock.now()
        return await reading_now(
            house, Record(house.engine, cell), signed.caller.organization, f"Patient/{patient}", now
        )
    finally:
        await internal.close_session(house.database.writing, cell)


def number_of(form: FormData) -> UUID:
    try:
        return UUID(str(form.get("visit", "")))
    except ValueError as error:
        raise BadRequest("The visit carries no number of its own.") from error


def declared(
    form: FormData, asked: Tree, answers: Mapping[str, Answer], patient: str, me: Me, teams: list[Tree], now: datetime
) -> Visit:
    """The visit as the form tells it. Raises BadRequest for a form that is not ours."""
    appointment = str(form.get("appointment", ""))
    return Visit(
        id=number_of(form),
        patient=f"Patient/{patient}",
        aide=me.signature,
        service={"reference": me.organization_reference, "display": me.organization_name},
        answers=answers,
        recorded=now,
        appointment=f"Appointment/{appointment}" if appointment else "",
        teams=teams,
        asked=canonical(asked),
    )
