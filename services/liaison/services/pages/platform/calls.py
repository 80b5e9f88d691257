"""Appels: those that are open, and a new one, which starts from what is said of the person."""

from datetime import datetime
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import urgent_sessions
from liaison.auth.access.calls import KIND
from liaison.services.pages.clarifying.waiting import waiting
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.reception.person import Incomplete, patient
from liaison.services.pages.reception.too_many import too_many, until_then
from liaison.services.pages.reception.welcome import KINDS, MISSING, SEXES, parameters
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]
CODE: Final = f"{KIND[0]}|{KIND[1]}"
DOCTOR: Final = "regulating-doctor"
REGULATOR: Final = "https://liaison.example/fhir/CodeSystem/role|regulating-doctor"


class Opened(NamedTuple):
    """An open call: its task, about whom, since when, what for."""

    id: str
    who: Identity
    since: datetime | None
    reason: str
    part_of: str = ""


class Handed(NamedTuple):
    """A handler's call that this doctor answers for, and may take."""

    id: str
    by: str
    since: datetime
    reason: str


async def calls(request: Request) -> Response:
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    if request.method == "GET":
        return await _show(request, record, {})
    form = {name: str(value).strip() for name, value in (await request.form()).items()}
    gettext = translations(language_of(request)).gettext
    try:
        body = parameters(patient=patient(form))
    except Incomplete as missing:
        return await _show(request, record, form, gettext(MISSING[missing.said]), 400)
    if not form.get("reason"):
        return await _show(request, record, form, gettext(_("Le motif de l'appel manque.")), 400)
    body["parameter"].append({"name": "reason", "valueString": form["reason"]})
    if caller.role_code != DOCTOR:
        if not form.get("regulator"):
            return await _show(request, record, form, gettext(_("Le médecin régulateur manque.")), 400)
        body["parameter"].append({"name": "regulator", "valueReference": {"reference": form["regulator"]}})
    try:
        answer = await record.operate("Patient/$open-call", body)
    except Refused as refused:
        words = too_many(gettext, refused) if refused.answered == 429 else gettext(_words(refused))
        return until_then(await _show(request, record, form, words, refused.answered), refused)
    task = next(part for part in answer["parameter"] if part["name"] == "task")["valueReference"]["reference"]
    return RedirectResponse(f"/appels/{task.partition('/')[2]}", status_code=303)


def _words(refused: Refused) -> str:
    """A 404 is one neutral answer, whatever the reason."""
    match refused.answered:
        case 404:
            return _(
                "Aucun appel ne peut être ouvert sous cette identité. Faites répéter le nom de naissance et la date, sans insister."
            )
        case 400:
            return _("Une information manque ou n'est pas acceptable.")
    raise refused


async def _show(request: Request, record: Record, form: dict[str, str], error: str = "", status: int = 200) -> Response:
    doctor = record.caller.role_code == DOCTOR
    opened = await (_taken(request) if doctor else _received(record))
    taken = {call.part_of for call in opened}
    given = {"ins_kind": "10" if request.app.state.sandbox else "8", **form}
    return render(
        request,
        "platform/calls.html",
        status=status,
        doctor=doctor,
        opened=opened,
        handed=[call for call in await _handed(record) if call.id not in taken] if doctor else [],
        questions=await waiting(request),
        regulators=[] if doctor else await _regulators(record),
        given=given,
        sexes=SEXES,
        kinds=KINDS,
        error=error,
    )


async def _received(record: Record) -> list[Opened]:
    """A handler's open calls."""
    query = {"code": CODE, "status": "in-progress", "_include": "Task:patient", "_count": "50"}
    found = await record.search("Task", query, most=100)
    people = {f"Patient/{tree['id']}": identity(tree) for tree in found if tree["resourceType"] == "Patient"}
    return [
        _opened(task, people[subject])
        for task in found
        if task["resourceType"] == "Task" and (subject := str(task["for"]["reference"])) in people
    ]


async def _taken(request: Request) -> list[Opened]:
    """A doctor's own open calls, each seen as its session sees it."""
    caller, _me = await signed_in(request)
    engine, found = request.app.state.house.engine, []
    for task, urgent in await urgent_sessions.open_now(engine.store, caller, *KIND, engine.base_url):
        person = await Record(engine, urgent, address_of(request)).read(str(task["for"]["reference"]))
        if person is not None:
            found.append(_opened(task, identity(person)))
    return found


def _opened(task: Tree, who: Identity) -> Opened:
    return Opened(
        str(task["id"]), who, moments.happened(task), task.get("reasonCode", {}).get("text", ""), _whole(task)
    )


def _whole(task: Tree) -> str:
    """The handler's call that this one is part of, or ''."""
    return next((str(one["reference"]).partition("/")[2] for one in task.get("partOf", [])), "")


async def _handed(record: Record) -> list[Handed]:
    """The calls of the handlers under this doctor's responsibility."""
    answer = await record.operate("Task/$calls-for-me", {"resourceType": "Parameters"})
    found = []
    for part in answer.get("parameter", []):
        said = {one["name"]: one for one in part["part"]}
        found.append(
            Handed(
                said["task"]["valueReference"]["reference"].partition("/")[2],
                str(said["received-by"]["valueReference"].get("display", "")),
                moments.moment(said["opened"]["valueDateTime"]),
                str(said["reason"]["valueString"]),
            )
        )
    return found


async def _regulators(record: Record) -> list[tuple[str, str]]:
    """(reference, name) of the regulating doctors, as the directory has them."""
    query = {"role": REGULATOR, "active": "true", "_count": "100"}
    roles = await record.search("PractitionerRole", query, most=100)
    named = [(f"PractitionerRole/{role['id']}", str(role.get("practitioner", {}).get("display", ""))) for role in roles]
    return sorted((one for one in named if one[1]), key=lambda one: one[1].casefold())
