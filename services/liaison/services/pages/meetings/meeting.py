"""One team meeting: those of the people discussed whom the reader may see, and what was decided for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.protocols import codes
from liaison.protocols.workshops import patient_of
from liaison.services.pages.clinician.dossier import found
from liaison.services.pages.clinician.teams import members_of, teams_of
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.meetings import agenda
from liaison.services.pages.meetings.agenda import Meeting
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.signed_in import Me, address_of, signed_in
from liaison.services.pages.workshops.agenda import taken

Tree = dict[str, Any]
_MOST: Final = 20
LONGEST: Final = 500


@dataclass(frozen=True, slots=True)
class Discussed:
    """Someone discussed. `team`: (name, reference) of those who may be asked to do something."""

    appointment: Tree
    who: Identity
    patient: str
    decisions: list[Tree]
    team: list[tuple[str, str]]


class NotDone(ValueError):
    """What is wrong, in words to be translated."""


async def meeting(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    held = await agenda.one(record, request.path_params["slot"])
    error, status = "", 200
    if request.method == "POST":
        form = {name: str(value) for name, value in (await request.form()).items()}
        try:
            await _do(record, held, me, form)
            return RedirectResponse(f"/reunions/{held.id}", status_code=303)
        except NotDone as problem:
            error, status = str(problem), 422
        except Refused as refused:
            if refused.answered != 403:
                raise
            error, status = _("Votre rôle ne permet pas de l’écrire dans ce dossier."), 403
    people = await _discussed(record, held)
    name = request.query_params.get("nom", "").strip()[:80]
    gettext = translations(language_of(request)).gettext
    return render(
        request,
        "meetings/meeting.html",
        status=status,
        error=gettext(error) if error else "",
        meeting=held,
        people=people,
        hidden=(await taken(request, caller, [held.id]))[held.id] - len(people),
        ours=held.kept_by == me.organization_reference,
        name=name,
        matches=await _named(record, name, {one.patient for one in people}) if name else [],
    )


async def _do(record: Record, held: Meeting, me: Me, form: Mapping[str, str]) -> None:
    if held.kept_by != me.organization_reference:
        raise NotDone(_("La structure qui a tenu la réunion en tient le compte rendu."))
    people = await _discussed(record, held)
    if form.get("act") == "discuss":
        patient = await record.read(f"Patient/{form.get('patient', '')}")
        if patient is None:
            raise NotDone(_("Choisissez une personne que vous suivez."))
        if patient["id"] not in {one.patient for one in people}:
            await record.create(agenda.discussed(held, f"Patient/{patient['id']}", record.now()))
        return
    about = next((one for one in people if one.appointment["id"] == form.get("appointment")), None)
    words = form.get("words", "").strip()[:LONGEST]
    owner = next((one for one in about.team if one[1] == form.get("owner")), None) if about else None
    if about is None or not words or owner is None:
        raise NotDone(_("Dites ce qui est décidé, et qui le fait."))
    try:
        due = date.fromisoformat(form["due"]).isoformat() if form.get("due") else ""
    except ValueError:
        raise NotDone(_("La date manque.")) from None
    await record.create(agenda.decided(about.appointment, words, (owner[1], owner[0]), due, me, record.now()))


async def _discussed(record: Record, held: Meeting) -> list[Discussed]:
    """By name; those whom the reader sees."""
    query = {"slot": f"Slot/{held.id}", "status": "fulfilled", "_include": "Appointment:patient", "_count": "200"}
    answered = await found(record, "Appointment", query, 400)
    people = {f"Patient/{one['id']}": one for one in answered if one["resourceType"] == "Patient"}
    made = []
    for one in (tree for tree in answered if tree["resourceType"] == "Appointment" and patient_of(tree) in people):
        patient = patient_of(one)
        about = {"patient": patient, "focus": f"Appointment/{one['id']}", "_count": "50"}
        decisions = await found(record, "Task", {**about, "code": f"{codes.COORDINATION}|{agenda.DECISION}"}, 50)
        team = [
            member
            for tree in await teams_of(record, patient)
            for member in members_of(tree, record.now())
            if member[1].startswith("Practitioner")
        ]
        made.append(Discussed(one, identity(people[patient]), patient.partition("/")[2], decisions, team))
    return sorted(made, key=lambda one: one.who.sorting)


async def _named(record: Record, name: str, known: set[str]) -> list[tuple[str, Identity]]:
    """Those of the reader's patients whose name begins so, who are not on the list."""
    trees = await found(record, "Patient", {"name": name, "_sort": "family,given", "_count": str(_MOST)}, _MOST)
    return [(str(one["id"]), identity(one)) for one in trees if one["id"] not in known]
