"""One alert on the manager's desk: whom to phone, the calls that were made, and its end with a reason.

A call is recorded by whoever made it, answered or not. What was sent of it, and what became of that, stands beside (services.messages)."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.fhir.errors import BadRequest, NotFound
from liaison.protocols import codes, library
from liaison.protocols.alerts import Standing, close, level_of, standing
from liaison.protocols.calling import called
from liaison.services.house import House
from liaison.services.messages.recipients import addressed
from liaison.services.messages.told import REPLIED, messages_of
from liaison.services.pages.changing import change
from liaison.services.pages.clinician.alerts import patient_of, told
from liaison.services.pages.clinician.dossier import patient_or_404
from liaison.services.pages.clinician.teams import members_of, teams_of
from liaison.services.pages.home_service.ages import age
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.concepts import Say
from liaison.services.pages.reading.contact import ways
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.signed_in import Me, address_of, signed_in

Tree = dict[str, Any]
LONGEST: Final = 300
_CLOSING: Final = f"{codes.LOCAL}/CodeSystem/alert-closing"


@dataclass(frozen=True, slots=True)
class ToCall:
    """Somebody to whom the alert is addressed, and their numbers as the directory has them."""

    name: str
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """One message about the alert: to whom, by what, and what became of it."""

    whom: str
    by: str
    state: str
    at: datetime | None
    answered: str
    failed: bool


_STATES: Final = {"completed": _("envoyé"), "stopped": _("non remis"), "in-progress": _("en attente")}
_SAID: Final = (
    _("Réponse reçue dans la messagerie"),
    _("Messagerie sécurisée de santé (MSSanté)"),
    _("Messagerie ordinaire, sans contenu"),
    _("SMS, sans contenu"),
)
"""What the record says of a message (services.messages.told), to be said in the reader's language."""


async def show(request: Request) -> Response:
    return await _page(request)


async def _page(request: Request, problem: str = "", typed: dict[str, str] | None = None) -> Response:
    record, _me = await _record(request)
    task = await _task(request, record)
    house: House = request.app.state.house
    said, now = translations(language_of(request)), record.now()
    patient, people, messages = await asyncio.gather(
        patient_or_404(record, patient_of(task).removeprefix("Patient/")),
        _to_call(record, task, now),
        messages_of(record, task),
    )
    return render(
        request,
        "home_service/alert.html",
        status=400 if problem else 200,
        alert=told(task, now, said.gettext),
        closed=standing(task, now) is Standing.CLOSED,
        closed_for=str((task.get("businessStatus") or {}).get("text", "")),
        who=identity(patient),
        patient=patient,
        age=age(moments.happened(task) or moments.written(task), now, said.ngettext),
        notes=[
            (_noted(one), str(one.get("authorString", "")), str(one.get("text", ""))) for one in task.get("note", [])
        ],
        people=people,
        unread=not addressed(task),
        messages=[_message(one, said.gettext) for one in messages],
        spool=house.carriers.spool,
        reasons=reasons(),
        problem=problem,
        typed=typed or {},
    )


def _message(one: Tree, say: Say) -> Sent:
    """A message as the page tells it."""
    state = _STATES.get(str(one.get("status", "")), _("en attente"))
    if one.get("received") and one["status"] == "completed":
        state = _("lu")
    answered = any(note.get("text") == REPLIED for note in one.get("note", ()))
    return Sent(
        str(one["recipient"][0].get("display", "")) if one.get("recipient") else "",
        say(str((one.get("medium") or [{}])[0].get("text", ""))),
        say(state),
        moments.moment(at) if (at := str(one.get("received") or one.get("sent") or "")) else None,
        say(REPLIED) if answered else "",
        failed=one.get("status") == "stopped",
    )


async def call(request: Request) -> Response:
    """« J'ai appelé »."""
    form = {name: str(value).strip() for name, value in (await request.form()).items()}
    gettext = translations(language_of(request)).gettext
    whom, words = form.get("qui", ""), form.get("dit", "")
    if not 0 < len(whom) <= LONGEST or len(words) > LONGEST:
        return await _page(request, gettext(_("Dites qui vous avez appelé, en moins de 300 lettres.")), form)
    if form.get("joint") not in ("oui", "non"):
        return await _page(request, gettext(_("Dites si quelqu'un a répondu.")), form)
    record, me = await _record(request)
    task = await _task(request, record)
    changed, made = called(
        task,
        f"Task/{task['id']}",
        me.signature,
        record.now(),
        whom=whom,
        words=words,
        reached=form["joint"] == "oui",
    )
    entries = [change(task, changed), {"resource": made, "request": {"method": "POST", "url": "Communication"}}]
    return await _done(request, record, task, entries)


async def finish(request: Request) -> Response:
    """The alert is over, for one of the reasons of the library."""
    form = await request.form()
    record, me = await _record(request)
    task = await _task(request, record)
    given = str(form.get("motif", ""))
    display = dict(reasons()).get(given)
    if display is None:
        gettext = translations(language_of(request)).gettext
        return await _page(request, gettext(_("Choisissez pourquoi l'alerte est close.")))
    if standing(task, record.now()) is Standing.CLOSED:
        return RedirectResponse("/service", status_code=303)
    changed = close(task, given, display, me.signature, record.now())
    return await _done(request, record, task, [change(task, changed)], "/service")


async def _done(request: Request, record: Record, task: Tree, entries: list[Tree], after: str = "") -> Response:
    try:
        await record.transact({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    except Refused as refused:
        if refused.answered not in (409, 412):
            raise
        gettext = translations(language_of(request)).gettext
        form = {name: str(value) for name, value in (await request.form()).items()}
        words = gettext(_("Quelqu'un a changé cette alerte entre-temps. Relisez-la, puis enregistrez de nouveau."))
        return await _page(request, words, form)
    return RedirectResponse(after or f"/service/alertes/{task['id']}", status_code=303)


def reasons() -> list[tuple[str, str]]:
    """Code and words of each reason to close an alert."""
    return [(str(one["code"]), str(one["display"])) for one in library.shipped().tree(_CLOSING)["concept"]]


async def _record(request: Request) -> tuple[Record, Me]:
    caller, me = await signed_in(request)
    return Record(request.app.state.house.engine, caller, address_of(request)), me


async def _task(request: Request, record: Record) -> Tree:
    task = await record.read(f"Task/{request.path_params['task']}")
    if task is None or not level_of(task):
        raise NotFound
    if "for" not in task:
        raise BadRequest("The alert is about nobody.")
    return task


async def _team(record: Record, task: Tree, now: datetime) -> list[Tree]:
    """Who takes part in the care of the person: somebody is to be phoned, also where nobody is there to read."""
    named = {
        reference: name
        for team in await teams_of(record, patient_of(task))
        for name, reference in members_of(team, now)
        if reference.startswith("PractitionerRole/")
    }
    return [{"reference": reference, "display": name} for reference, name in named.items()]


async def _to_call(record: Record, task: Tree, now: datetime) -> list[ToCall]:
    known = addressed(task) or await _team(record, task, now)
    trees = await asyncio.gather(*(_telecoms(record, str(one["reference"])) for one in known))
    return [
        ToCall(
            str(one.get("display", "")),
            tuple(dict.fromkeys(number for tree in some for number in ways(tree, "phone", now))),
        )
        for one, some in zip(known, trees, strict=True)
    ]


async def _telecoms(record: Record, reference: str) -> list[Tree]:
    """Where the directory may have a number: the role, and the structure that it is held in."""
    role = await record.read(reference)
    if role is None:
        return []
    place = await record.read(str((role.get("organization") or {}).get("reference", "")))
    return [one for one in (role, place) if one is not None]


def _noted(note: Tree) -> datetime | None:
    return moments.moment(str(note["time"])) if note.get("time") else None
