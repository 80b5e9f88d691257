"""À revoir: one list of what waits, who acted and why, and the four outcomes. The person stays a number.

Emergency accesses, entries into a team and their like are tasks of the record; what the rules of unusual access found is kept
apart (`unusual`). An auditor's list has those of which the actor or the record belongs to their organisation, or all by mandate.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import vocabulary
from liaison.auth.access.facts.reading import codes
from liaison.auth.access.reviews import REVIEWED, actor_of
from liaison.auth.journal import audit_rights
from liaison.fhir.errors import NotFound
from liaison.fhir.store import faults
from liaison.services.pages.audit import unusual
from liaison.services.pages.audit.to_review import OUTCOMES, REFUSALS, Line, Note, Person, due_by, people, show_line
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading import moments
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.role_names import role_name
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]
PATH: Final = "/journal/urgences"
MOST: Final = 500
"""Of those that wait, and of those that are settled: who settled many still sees every one that waits."""
EVERY: Final = 1_000_000
"""Of what is counted and not listed."""
WAITING: Final = {"status:not": "completed"}
SETTLED: Final = {"status": "completed"}
_LAST: Final = datetime.max.replace(tzinfo=UTC)


KINDS: Final = {
    "emergency-access": _("Accès d'urgence"),
    "join": _("Entrée dans une équipe"),
    "withdrawal": _("Opposition retirée"),
    "attending-doctor": _("Médecin traitant déclaré"),
}


async def queue(request: Request) -> Response:
    """GET: what waits, the most urgent first, then what was reviewed; `genre=inhabituel` keeps what the rules found."""
    lines = await every_line(request)
    if request.query_params.get("genre") == "inhabituel":
        lines = [line for line in lines if line.where.startswith(unusual.PATH)]
    waiting = sorted((line for line in lines if not line.settled), key=lambda line: (line.due or _LAST, line.where))
    return render(
        request,
        "audit/reviews.html",
        waiting=waiting,
        settled=[line for line in lines if line.settled],
        now=request.app.state.house.database.clock.now(),
    )


async def every_line(request: Request, *, counted: bool = False) -> list[Line]:
    """Of the tasks and of the rules, as far as the caller may look at them. `counted`: every one of them, see `unusual.lines`."""
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    gettext = translations(language_of(request)).gettext
    most = EVERY if counted else MOST
    tasks = [*await _tasks(request, record, WAITING, most), *await _tasks(request, record, SETTLED, most)]
    lines = await lines_of(record, tasks, gettext)
    return [*lines, *await unusual.lines(request, record, gettext, counted=counted)]


async def waiting(request: Request) -> int:
    """How many tasks of the review list wait for an officer of this structure."""
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    return len(await _tasks(request, record, WAITING, EVERY))


async def _tasks(request: Request, record: Record, which: Mapping[str, str], most: int) -> list[Tree]:
    wanted = ",".join(f"{vocabulary.REVIEW}|{kind}" for kind in sorted(REVIEWED))
    asked = {"code": wanted, "_sort": "-authored-on", "_count": "100", **which}
    return await _theirs(request, await record.search("Task", asked, most=most))


async def _theirs(request: Request, tasks: list[Tree]) -> list[Tree]:
    caller, _me = await signed_in(request)
    house = request.app.state.house
    reading, asked = house.database.reading, []
    with faults.reported():
        for task in tasks:
            key = house.store.key("Task", task["id"])
            actor = await actor_of(reading, house.store.key, task)
            asked.append((key.patient, actor.organization))
        allowed = await audit_rights.of_theirs(reading, caller.session, asked)
    return [task for task, theirs in zip(tasks, allowed, strict=True) if theirs]


async def review(request: Request) -> Response:
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    task = await record.read(f"Task/{request.path_params['task']}")
    if task is None or not REVIEWED & set(codes(task.get("code"), vocabulary.REVIEW)):
        raise NotFound
    if not await _theirs(request, [task]):
        raise NotFound
    gettext = translations(language_of(request)).gettext
    if request.method == "GET":
        return await _show(request, record, task, {})
    form = {name: str(value).strip() for name, value in (await request.form()).items()}
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "outcome", "valueCode": form.get("outcome", "")},
            *([{"name": "note", "valueString": form["note"]}] if form.get("note") else []),
        ],
    }
    answer = await record.ask("POST", f"Task/{task['id']}/$review", body=body, if_match=form.get("version", ""))
    if answer.status == 200:
        return RedirectResponse(PATH, status_code=303)
    words = REFUSALS.get(answer.status)
    if words is None:
        raise Refused(answer)
    return await _show(request, record, task, form, gettext(words), answer.status)


async def _show(
    request: Request, record: Record, task: Tree, form: Mapping[str, str], error: str = "", status: int = 200
) -> Response:
    if error:
        task = await record.read(f"Task/{task['id']}") or task
    [line] = await lines_of(record, [task], translations(language_of(request)).gettext)
    version = f'W/"{task["meta"]["versionId"]}"'
    return await show_line(request, record, line, version, form, error, status)


async def lines_of(
    record: Record, tasks: list[Tree], gettext: Callable[[str], str], kinds: Mapping[str, str] = KINDS
) -> list[Line]:
    who = await people(record, [str((task.get("requester") or {}).get("reference", "")) for task in tasks], gettext)
    return [_line(task, who, gettext, kinds) for task in tasks]


def _line(task: Tree, who: Mapping[str, Person], gettext: Callable[[str], str], kinds: Mapping[str, str]) -> Line:
    kind = next(iter(codes(task.get("code"), vocabulary.REVIEW)), "")
    outcome = next(iter(codes(task.get("businessStatus"), vocabulary.REVIEW)), "")
    requester = task.get("requester") or {}
    actor = who.get(
        str(requester.get("reference", "")), Person(str(requester.get("display", "")), role_name("", gettext))
    )
    end = ((task.get("restriction") or {}).get("period") or {}).get("end")
    at = moments.happened(task)
    settled = task.get("status") == "completed"
    return Line(
        id=str(task["id"]),
        where=f"{PATH}/{task['id']}",
        kind=gettext(kinds.get(kind, kind)),
        at=at,
        until=moments.moment(str(end)) if end else None,
        due=due_by(kind, at),
        who=actor,
        reason=str((task.get("reasonCode") or {}).get("text") or task.get("description") or ""),
        patient=str((task.get("for") or {}).get("reference", "")).partition("/")[2],
        outcome=gettext(OUTCOMES[outcome]) if outcome in OUTCOMES else "",
        code=outcome,
        settled=settled,
        second=task.get("status") == "in-progress",
        notes=[_note(note, actor) for note in task.get("note", [])],
        settled_at=moments.moment(str(task["lastModified"])) if settled and "lastModified" in task else None,
    )


def _note(note: Tree, actor: Person) -> Note:
    by = str((note.get("authorReference") or {}).get("reference", ""))
    at = moments.moment(str(note["time"])) if "time" in note else None
    return Note(str(note.get("text", "")), at, bool(by) and by == actor.person, by)
