"""Questions des patients: what people do not understand of the accesses to their record, and the officer's answers."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import adopted
from liaison.auth.journal import questions
from liaison.auth.journal.acts import Act
from liaison.auth.journal.audit_event import place
from liaison.auth.journal.audit_search import Where
from liaison.auth.journal.entry import Event, entry
from liaison.auth.journal.looking import tell
from liaison.auth.journal.questions import AlreadyAnswered, Question
from liaison.auth.journal.visits import visits
from liaison.auth.people import notices
from liaison.auth.people.notices import Kind
from liaison.fhir.errors import NotFound
from liaison.fhir.store import faults
from liaison.services.pages import entering
from liaison.services.pages.audit.lines import Line, lines_of
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

ANSWERERS = frozenset({"dpo"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the id of its record, of which the officer reads the beginning."""

    question: Question
    record: str


async def listed(request: Request) -> Response:
    """Unanswered first."""
    found = await _mine(request)
    return render(
        request,
        "audit/asked.html",
        waiting=[one for one in found if not one.question.answer],
        answered=[one for one in found if one.question.answer],
    )


async def one(request: Request) -> Response:
    """GET: the question and the access. POST: the answer, kept as it is given."""
    caller, me = await signed_in(request)
    house = request.app.state.house
    found = next((a for a in await _mine(request) if str(a.question.number) == request.path_params["number"]), None)
    if found is None:
        raise NotFound
    if request.method == "GET":
        return await _show(request, found, "", "")
    gettext = translations(language_of(request)).gettext
    text = str((await request.form()).get("answer", "")).strip()
    if not text or len(text) > questions.LONGEST:
        words = gettext(_("Écrivez votre réponse : 2 000 lettres au plus."))
        return await _show(request, found, text[: questions.LONGEST], words)
    number, patient = found.question.number, found.question.patient
    try:
        with faults.reported():
            async with house.database.writing.acquire() as connection, connection.transaction():
                await questions.answer(connection, house.vault, found.question, by=me.name, text=text)
                await notices.read(connection, Kind.QUESTION, number)
                told = entry(
                    caller, Event.JOURNAL_READ, patient=patient, request=entering.asked(request),
                    detail={"act": Act.ANSWERED, "question": number},
                )  # fmt: skip
                await house.journal.record_within(connection, (told,))
    except AlreadyAnswered:
        return await _show(request, found, text, gettext(_("Quelqu'un a déjà répondu à cette question.")))
    return RedirectResponse("/journal/questions", status_code=303)


async def _mine(request: Request) -> list[Asked]:
    caller, _me = await signed_in(request)
    house = request.app.state.house
    async with house.database.reading.acquire() as connection:
        table = await adopted.in_force(connection)
        found = await questions.of_officer(connection, house.vault, caller.session, table)
    ids = await house.audit.patient_ids({one.patient for one in found})
    await tell(house.journal, caller, {one.patient for one in found}, len(found), "questions")
    return [Asked(one, ids.get(one.patient, "")) for one in found]


async def _show(request: Request, found: Asked, text: str, error: str) -> Response:
    return render(
        request,
        "audit/question.html",
        status=400 if error else 200,
        asked=found,
        lines=await _access(request, found.question),
        text=text,
        error=error,
    )


async def _access(request: Request, question: Question) -> list[Line]:
    """The line of the journal that the question is about, in words; none where its month is destroyed."""
    caller, _me = await signed_in(request)
    house, where = request.app.state.house, place(question.entry)
    seen, _more = await house.audit.columns(caller, Where("e.worker = {} and e.sequence = {}", where or (0, 0)), 1)
    found = visits(house.audit, seen)
    software = await house.audit.software({one.client for one in found} - {0})
    for visit in found:
        visit.software = software[visit.client].name if visit.client in software else ""
    record = Record(house.engine, caller, address_of(request))
    return await lines_of(house.database, record, found, translations(language_of(request)).gettext)
