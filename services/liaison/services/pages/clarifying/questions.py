"""The questions of a reviewer about my own accesses, and my answers. The person stays unnamed: the access is over."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.unusual import accesses
from liaison.auth.unusual.table import rules
from liaison.fhir.errors import BadRequest, NotFound
from liaison.fhir.store import faults
from liaison.services.pages.audit.reviews import KINDS
from liaison.services.pages.audit.unusual import KIND, number_of
from liaison.services.pages.clock import PARIS
from liaison.services.pages.entering import asked as asked_by
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading import moments
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]
UNUSUAL: Final = "inhabituel-"
"""Before the number of an access that a rule found, where others have their task."""
NOTHING: Final[Tree] = {"resourceType": "Parameters"}


@dataclass(frozen=True, slots=True)
class Line:
    """A question or an answer, and when."""

    text: str
    at: datetime | None
    mine: bool


@dataclass(frozen=True, slots=True)
class Question:
    """One of my accesses that a reviewer asks about."""

    task: str
    kind: str
    opened: datetime | None
    reason: str
    lines: list[Line]

    @property
    def waits(self) -> bool:
        return not self.lines or not self.lines[-1].mine


async def questions(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    if request.method == "GET":
        return await _show(request, record, me.person)
    form = {name: str(value).strip() for name, value in (await request.form()).items()}
    body = {"resourceType": "Parameters", "parameter": [{"name": "answer", "valueString": form.get("answer", "")}]}
    task = form.get("task", "")
    if task.startswith(UNUSUAL):
        return await _answer_unusual(request, record, me.person, form)
    answer = await record.ask("POST", f"Task/{task}/$clarify", body=body)
    if answer.status == 200:
        return RedirectResponse("/mes-acces?envoye=1", status_code=303)
    words = _REFUSALS.get(answer.status)
    if words is None:
        raise Refused(answer)
    return await _show(request, record, me.person, words, answer.status, form)


_REFUSALS: Final = {
    400: _("Écrivez votre réponse, en 2 000 lettres au plus."),
    404: _("Cette question n'attend plus de réponse."),
    412: _("Quelqu'un vient d'écrire au sujet de cet accès : voici ce qu'il en est."),
}


async def _answer_unusual(request: Request, record: Record, person: str, form: dict[str, str]) -> Response:
    caller, _me = await signed_in(request)
    house, number = request.app.state.house, form["task"].removeprefix(UNUSUAL)
    try:
        with faults.reported():
            async with house.database.writing.acquire() as connection, connection.transaction():
                access = await accesses.answer(
                    connection, house.vault, caller, number_of(number), form.get("answer", "")
                )
                detail = {"act": Act.UNUSUAL_ANSWERED}
                told = entry(caller, Event.OPERATION, patient=access.patient, request=asked_by(request), detail=detail)
                await house.journal.record_within(connection, (told,))
    except (BadRequest, NotFound) as refusal:
        return await _show(request, record, person, _REFUSALS[refusal.status], refusal.status, form)
    return RedirectResponse("/mes-acces?envoye=1", status_code=303)


async def _unusual(request: Request) -> list[Question]:
    """What a rule found, in its sentences."""
    caller, _me = await signed_in(request)
    house, gettext = request.app.state.house, translations(language_of(request)).gettext
    reading = house.database.reading
    with faults.reported():
        found = await accesses.asked_of(reading, caller)
        fired = await accesses.fired(reading, house.vault, found)
        said = {one.access: await accesses.words(reading, house.vault, one) for one in found}
    return [
        Question(
            task=f"{UNUSUAL}{one.access}",
            kind=accesses.KIND,
            opened=one.at.astimezone(PARIS),
            reason=" ".join(gettext(rules()[each.rule].sentence) for each in fired[one.access] if each.rule in rules()),
            lines=[Line(word.text, word.at.astimezone(PARIS), not word.outcome) for word in said[one.access]],
        )
        for one in found
    ]


async def _show(
    request: Request,
    record: Record,
    person: str,
    error: str = "",
    status: int = 200,
    form: dict[str, str] | None = None,
) -> Response:
    gettext = translations(language_of(request)).gettext
    asked = await record.operate("Task/$asked-of-me", NOTHING)
    found = [_question(part["part"], person) for part in asked.get("parameter", [])]
    found += await _unusual(request)
    kinds = {**KINDS, accesses.KIND: KIND}
    return render(
        request,
        "clarifying/questions.html",
        status=status,
        asked=[(question, gettext(kinds.get(question.kind, question.kind))) for question in found],
        sent=request.query_params.get("envoye") == "1" and request.method == "GET",
        given=form or {},
        error=gettext(error) if error else "",
    )


def _question(parts: list[Tree], person: str) -> Question:
    said = {part["name"]: part for part in parts}
    notes = [part["valueAnnotation"] for part in parts if part["name"] == "note"]
    return Question(
        task=said["task"]["valueReference"]["reference"].partition("/")[2],
        kind=str(said["kind"]["valueCode"]),
        opened=moments.moment(said["opened"]["valueDateTime"]),
        reason=str(said["reason"]["valueString"]) if "reason" in said else "",
        lines=[
            Line(
                str(note["text"]),
                moments.moment(str(note["time"])) if "time" in note else None,
                (note.get("authorReference") or {}).get("reference") == person,
            )
            for note in notes
        ],
    )
