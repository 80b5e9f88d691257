"""Relancer: a Task for each person to call back, and the call sheet of those who are not called yet."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.protocols import codes
from liaison.protocols.calendar import annotation, calendar, complete, next_step
from liaison.protocols.carry_out import created, step_code
from liaison.protocols.deaths import died
from liaison.services.pages.clinician.dossier import found
from liaison.services.pages.coordination.rows import TO_DO
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading.contact import ways
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.sheets.printing import Part, printed
from liaison.services.pages.signed_in import Me, address_of, signed_in

Tree = dict[str, Any]
CALL: Final = "call-back"
_CALL: Final = f"{codes.COORDINATION}|{CALL}"
_OPEN: Final = "requested,received,accepted,in-progress"
MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Call:
    """Someone to call back. `late`: what is late of theirs, the latest first; `tried`: how often nobody answered."""

    task: Tree
    patient: str
    who: Identity
    phones: list[str]
    late: list[str]
    tried: int


async def ask(record: Record, me: Me, chosen: Sequence[str]) -> int:
    """A Task of each person that has none yet; how many are asked for, those included, and nobody who has died. All of them, or
    none."""
    people = [one for one in dict.fromkeys(chosen) if one][:MOST]
    if not people:
        return 0
    everyone = ",".join(f"Patient/{one}" for one in people)
    query = {"patient": everyone, "_count": "500"}
    seen, asked, steps = await asyncio.gather(
        found(record, "Patient", {"_id": ",".join(people), "_count": "500"}, MOST),
        found(record, "Task", {**query, "code": _CALL, "status": _OPEN}, MOST),
        found(record, "Task", {**query, "code": f"{codes.STEP}|", "status": TO_DO}, 5000),
    )
    already = {str(one["for"]["reference"]) for one in asked}
    now = record.now()
    made = []
    living = [one for one in seen if not died(one)]
    for patient in (f"Patient/{one['id']}" for one in living):
        coming = next_step([one for one in steps if one["for"]["reference"] == patient], now.date())
        if patient not in already:
            made.append(_task(patient, coming.task if coming else None, me, now.isoformat(timespec="seconds")))
    if made:
        await record.transact(created((f"urn:uuid:{uuid4()}", one) for one in made))
    return len(living)


def _task(patient: str, step: Tree | None, me: Me, at: str) -> Tree:
    by = {"reference": me.role_reference or me.person, "display": me.name}
    task: Tree = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": codes.COORDINATION, "code": CALL, "display": "Relance"}], "text": "Relance"},
        "description": str(step["description"]) if step else "Relance",
        "for": {"reference": patient},
        "authoredOn": at,
        "lastModified": at,
        "requester": by,
        "owner": by,
    }
    return {**task, "focus": {"reference": f"Task/{step['id']}"}} if step else task


async def sheet(request: Request) -> Response:
    """Who is to be called back, by name, with one touch for what came of it; as a page, or as a PDF."""
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    error, status = "", 200
    if request.method == "POST":
        form = await request.form()
        try:
            if await _answered(record, me, str(form.get("task", "")), str(form.get("act", ""))):
                return RedirectResponse("/cohorte/relances", status_code=303)
            error, status = _("Cette relance est déjà faite."), 409
        except Refused as refused:
            if refused.answered != 412:
                raise
            error, status = _("Quelqu’un d’autre vient de la noter : voici ce qu’il en est."), 409
    calls = await _calls(record, me)
    gettext = translations(language_of(request)).gettext
    if request.query_params.get("pdf") == "1":
        return printed(request, _parts(calls, gettext), gettext(_("Feuille d’appels")), language_of(request), "appels")
    return render(request, "coordination/calls.html", status=status, calls=calls, error=gettext(error) if error else "")


async def _calls(record: Record, me: Me) -> list[Call]:
    mine = ",".join(one for one in (me.role_reference, me.person) if one)
    query = {"code": _CALL, "status": _OPEN, "owner": mine, "_include": "Task:patient", "_count": "200"}
    answered = await found(record, "Task", query, 2 * MOST)
    tasks = [one for one in answered if one["resourceType"] == "Task"]
    people = {f"Patient/{one['id']}": one for one in answered if one["resourceType"] == "Patient"}
    if not people:
        return []
    now = record.now()
    of_them = {"patient": ",".join(people), "code": f"{codes.STEP}|", "status": TO_DO, "_count": "500"}
    steps = await found(record, "Task", of_them, 5000)
    made = []
    for task in tasks:
        patient = str(task["for"]["reference"])
        if patient in people:
            theirs = [one for one in steps if one["for"]["reference"] == patient and step_code(one)]
            late = [one.title for one in calendar(theirs, now.date()) if one.days > 0]
            phones = ways(people[patient], "phone", now)
            tried = sum(note.get("text") == _NOBODY for note in task.get("note", ()))
            made.append(Call(task, patient.partition("/")[2], identity(people[patient]), phones, late, tried))
    return sorted(made, key=lambda one: one.who.sorting)


_NOBODY: Final = "Appelé, sans réponse"


async def _answered(record: Record, me: Me, id_: str, act: str) -> bool:
    """Whether it was open: they were reached, or nobody answered."""
    task = await record.read(f"Task/{id_}") if id_ else None
    coded = {one.get("code") for one in (task or {}).get("code", {}).get("coding", ())}
    if task is None or CALL not in coded or task["status"] not in _OPEN.split(","):
        return False
    by, now = {"reference": me.role_reference or me.person, "display": me.name}, record.now()
    if act == "reached":
        changed = complete(task, now.date(), by, now)
    else:
        changed = {**task, "lastModified": now.isoformat(timespec="seconds")}
        changed["note"] = [*task.get("note", ()), annotation(_NOBODY, by, now)]
    await record.update(changed)
    return True


def _parts(calls: Sequence[Call], gettext: Any) -> list[Part]:
    parts = [Part("title", gettext(_("Feuille d’appels")))]
    for one in calls:
        parts += [
            Part("heading", one.who.full),
            Part("text", ", ".join(one.phones) or gettext(_("Aucun numéro de téléphone n’est noté."))),
            *(Part("point", title) for title in one.late),
            Part("field", gettext(_("Réponse"))),
        ]
    return parts
