"""Visite: « À savoir » first, the questions of the form, and the filing of the answers as one transaction."""

import asyncio
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.fhir.errors import BadRequest
from liaison.protocols.answers import Answer, Item, items
from liaison.protocols.visit import FORM, Invalid, Visit, transaction
from liaison.services.applying import library
from liaison.services.pages.clinician.dossier import found, patient_or_404
from liaison.services.pages.layout import render
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import Me, address_of, signed_in

Tree = dict[str, Any]

# The five questions of state that every visit asks; the others are one touch away (« Autre chose à dire »).
ALWAYS: Final = ("general", "meal", "drink", "fall", "breath")
APART: Final = frozenset({"start", "end", "presence", "tasks", "note", "alert", "called", *ALWAYS})


async def visit(request: Request) -> Response:
    return await (_file(request) if request.method == "POST" else _show(request))


async def _show(
    request: Request, problems: Mapping[str, str] | None = None, given: Mapping[str, Answer] | None = None
) -> Response:
    caller, _ = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    id_ = request.path_params["id"]
    patient = await patient_or_404(record, id_)
    mine = {"patient": f"Patient/{id_}", "_count": "20"}
    flags, weights = await asyncio.gather(
        found(record, "Flag", {**mine, "status": "active"}),
        found(record, "Observation", {**mine, "code": "http://loinc.org|29463-7", "_sort": "-date", "_count": "1"}, 1),
    )
    questions = {item.link: item for item in items(library().tree(FORM))}
    return render(
        request,
        "home_care/visit.html",
        status=400 if problems else 200,
        patient=patient,
        who=identity(patient),
        today=datetime.now(moments.PARIS).date(),
        flags=flags[:3],
        weight=weights[0] if weights else None,
        questions=questions,
        state=[questions[link] for link in ALWAYS],
        others=[item for link, item in questions.items() if link not in APART],
        now=datetime.now(moments.PARIS),
        appointment=request.query_params.get("rendez-vous", ""),
        visit_id=uuid4(),
        problems=problems or {},
        given=given or {},
    )


async def _file(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    id_ = request.path_params["id"]
    await patient_or_404(record, id_)
    form = await request.form()
    answers = read_answers(form, [*items(library().tree(FORM))])
    teams = await found(record, "CareTeam", {"patient": f"Patient/{id_}", "status": "active", "_count": "10"})
    try:
        bundle = transaction(library(), declared(form, answers, id_, me, teams))
    except Invalid as invalid:
        return await _show(request, invalid.problems, answers)
    await record.transact(bundle)
    return RedirectResponse("/aujourdhui?envoyee=1", status_code=303)


def declared(form: FormData, answers: Mapping[str, Answer], patient: str, me: Me, teams: list[Tree]) -> Visit:
    """The visit as the form tells it. Raises BadRequest for a form that is not ours."""
    try:
        number = UUID(str(form.get("visit", "")))
    except ValueError as error:
        raise BadRequest("The visit carries no number of its own.") from error
    appointment = str(form.get("appointment", ""))
    return Visit(
        id=number,
        patient=f"Patient/{patient}",
        aide={"reference": me.role_reference or me.person, "display": me.name},
        service={"reference": me.organization_reference, "display": me.organization_name},
        answers=answers,
        recorded=datetime.now(UTC).astimezone(moments.PARIS),
        appointment=f"Appointment/{appointment}" if appointment else "",
        teams=teams,
    )


def read_answers(form: FormData, questions: list[Item]) -> dict[str, Answer]:
    """The answers by linkId, numbers with a comma or a point. What cannot be read stays text, and is refused by name."""
    answers: dict[str, Answer] = {}
    for item in questions:
        values = [str(value).strip() for value in form.getlist(item.link) if str(value).strip()]
        if not values:
            continue
        kind = item.tree["type"]
        if kind == "choice" and item.tree.get("repeats"):
            answers[item.link] = values
        elif kind == "integer":
            answers[item.link] = int(values[0]) if values[0].lstrip("-").isdecimal() else values[0]
        elif kind == "decimal":
            answers[item.link] = _decimal(values[0])
        elif kind == "dateTime":
            answers[item.link] = _hour(values[0])
        else:
            answers[item.link] = values[0]
    return answers


def _decimal(text: str) -> float | str:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def _hour(text: str) -> str:
    """'08:30' is today in Paris; a whole dateTime stays as it is."""
    try:
        hour = datetime.strptime(text, "%H:%M").time()
    except ValueError:
        return text
    today = datetime.now(moments.PARIS)
    return today.replace(hour=hour.hour, minute=hour.minute, second=0, microsecond=0).isoformat()
