"""Accès d'urgence à revoir: what waits, who acted and why, and the four outcomes. The person stays a number."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import vocabulary
from liaison.auth.access.facts.reading import codes
from liaison.auth.access.reviews import REVIEWED
from liaison.fhir.errors import NotFound
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.contact import ways
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.role_names import role_name
from liaison.services.pages.signed_in import address_of, human_name, signed_in

Tree = dict[str, Any]
MOST: Final = 500


KINDS: Final = {
    "emergency-access": _("Accès d'urgence"),
    "join": _("Entrée dans une équipe"),
    "withdrawal": _("Opposition retirée"),
    "attending-doctor": _("Médecin traitant déclaré"),
}
OUTCOMES: Final = {
    "justified": _("Justifié"),
    "to-clarify": _("À éclaircir"),
    "unjustified": _("Non justifié"),
    "reported": _("Signalé"),
}


class Person(NamedTuple):
    """Someone of the directory, in a role; `person` is the reference of the Practitioner."""

    name: str = ""
    role: str = ""
    mailbox: str = ""
    person: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A question or remark of a reviewer, or (`by_actor`) an answer to it."""

    text: str
    at: datetime | None
    by_actor: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One access to review. `record` is the beginning of the record's number: auditors see no names (row 24)."""

    id: str
    kind: str
    at: datetime | None
    until: datetime | None
    name: str
    role: str
    mailbox: str
    reason: str
    patient: str
    outcome: str
    settled: bool
    answered: bool
    notes: list[Note]

    @property
    def record(self) -> str:
        return self.patient[:6]


async def queue(request: Request) -> Response:
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    wanted = ",".join(f"{vocabulary.REVIEW}|{kind}" for kind in sorted(REVIEWED))
    tasks = await record.search("Task", {"code": wanted, "_sort": "-authored-on", "_count": "100"}, most=MOST)
    lines = await lines_of(record, tasks, translations(language_of(request)).gettext)
    return render(
        request,
        "audit/reviews.html",
        waiting=[line for line in lines if not line.settled],
        settled=[line for line in lines if line.settled],
    )


async def review(request: Request) -> Response:
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    task = await record.read(f"Task/{request.path_params['task']}")
    if task is None or not REVIEWED & set(codes(task.get("code"), vocabulary.REVIEW)):
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
        return RedirectResponse("/journal/urgences", status_code=303)
    words = _REFUSALS.get(answer.status)
    if words is None:
        raise Refused(answer)
    return await _show(request, record, task, form, gettext(words), answer.status)


_REFUSALS: Final = {
    400: _("Choisissez un avis ; s'il n'est pas « Justifié », dites pourquoi."),
    403: _("Personne ne revoit son propre accès : un autre auditeur doit le faire."),
    409: _("Cet accès a déjà été revu."),
    412: _("Quelqu'un vient de revoir cet accès : voici ce qu'il en est."),
}


async def _show(
    request: Request, record: Record, task: Tree, form: Mapping[str, str], error: str = "", status: int = 200
) -> Response:
    if error:
        task = await record.read(f"Task/{task['id']}") or task
    [line] = await lines_of(record, [task], translations(language_of(request)).gettext)
    return render(
        request,
        "audit/review.html",
        status=status,
        line=line,
        version=f'W/"{task["meta"]["versionId"]}"',
        outcomes=OUTCOMES,
        given=form,
        error=error,
    )


async def lines_of(
    record: Record, tasks: list[Tree], gettext: Callable[[str], str], kinds: Mapping[str, str] = KINDS
) -> list[Line]:
    people = await _people(record, [str((task.get("requester") or {}).get("reference", "")) for task in tasks])
    return [_line(task, people, gettext, kinds) for task in tasks]


def _line(task: Tree, people: Mapping[str, Person], gettext: Callable[[str], str], kinds: Mapping[str, str]) -> Line:
    kind = next(iter(codes(task.get("code"), vocabulary.REVIEW)), "")
    outcome = next(iter(codes(task.get("businessStatus"), vocabulary.REVIEW)), "")
    requester = task.get("requester") or {}
    actor = people.get(str(requester.get("reference", "")), Person())
    notes = [_note(note, actor) for note in task.get("note", [])]
    end = ((task.get("restriction") or {}).get("period") or {}).get("end")
    return Line(
        id=str(task["id"]),
        kind=gettext(kinds.get(kind, kind)),
        at=moments.happened(task),
        until=moments.moment(str(end)) if end else None,
        name=actor.name or str(requester.get("display", "")),
        role=role_name(actor.role, gettext),
        mailbox=actor.mailbox,
        reason=str((task.get("reasonCode") or {}).get("text") or task.get("description") or ""),
        patient=str((task.get("for") or {}).get("reference", "")).partition("/")[2],
        outcome=gettext(OUTCOMES[outcome]) if outcome in OUTCOMES else "",
        settled=task.get("status") == "completed",
        answered=bool(notes) and notes[-1].by_actor,
        notes=notes,
    )


def _note(note: Tree, actor: Person) -> Note:
    by = str((note.get("authorReference") or {}).get("reference", ""))
    at = moments.moment(str(note["time"])) if "time" in note else None
    return Note(str(note.get("text", "")), at, bool(by) and by == actor.person)


async def _people(record: Record, references: list[str]) -> dict[str, Person]:
    """Those who acted, as the directory has them."""
    ids = sorted({one.partition("/")[2] for one in references if one.startswith("PractitionerRole/")})
    found: dict[str, Person] = {}
    for start in range(0, len(ids), 50):
        asked = {
            "_id": ",".join(ids[start : start + 50]),
            "_include": "PractitionerRole:practitioner",
            "_count": "100",
        }
        trees = await record.search("PractitionerRole", asked, most=200)
        persons = {f"Practitioner/{tree['id']}": tree for tree in trees if tree["resourceType"] == "Practitioner"}
        for tree in trees:
            if tree["resourceType"] == "PractitionerRole":
                reference = str((tree.get("practitioner") or {}).get("reference", ""))
                person = persons.get(reference, {})
                role = next((code for one in tree.get("code", []) for code in codes(one, vocabulary.ROLE)), "")
                mailbox = next(iter(ways(person, "email", record.now())), "")
                found[f"PractitionerRole/{tree['id']}"] = Person(human_name(person), role, mailbox, reference)
    return found
