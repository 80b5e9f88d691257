"""« Je ne comprends pas cet accès »: the person, or who represents them, asks about one visit to their record."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.journal import questions
from liaison.auth.journal.acts import Act
from liaison.auth.journal.audit_event import place
from liaison.auth.journal.entry import Event, entry
from liaison.auth.journal.visits import Visit
from liaison.auth.people import notices
from liaison.auth.people.notices import Kind
from liaison.fhir.errors import NotFound
from liaison.fhir.store import faults
from liaison.services.pages.audit import in_parts
from liaison.services.pages.audit.edges import Edge
from liaison.services.pages.audit.lines import Line
from liaison.services.pages.audit.who_saw import part_seen, told
from liaison.services.pages.entering import asked
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.signed_in import signed_in


async def ask(request: Request) -> Response:
    """GET: the access, and a field. POST: the question is kept, and the data protection officer is told."""
    caller, me = await signed_in(request)
    house, id_ = request.app.state.house, request.path_params["id"]
    form = dict(await request.form()) if request.method == "POST" else dict(request.query_params)
    about = str(form.get("acces", ""))
    until = in_parts.before(form)
    visit = _of((await part_seen(request, caller, me, until)).visits, about)
    [line] = await told(request, caller, [visit])
    if request.method == "GET":
        return _show(request, line, about, "", "", until)
    text = str(form.get("question", "")).strip()
    if len(text) > questions.LONGEST:
        words = translations(language_of(request)).gettext(_("Votre question est trop longue : 2 000 lettres au plus."))
        return _show(request, line, about, text[: questions.LONGEST], words, until)
    where, patient = place(about), house.audit.patient(id_)
    if where is None:
        raise NotFound
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            number = await questions.ask(
                connection, house.vault, patient, where, caller.practitioner, by=me.name, text=text,
                visit=visit.events,
            )  # fmt: skip
            if number is None:  # from a page that was open when it was asked
                return RedirectResponse(f"/journal/dossiers/{id_}#questions", status_code=303)
            await notices.tell(connection, Kind.QUESTION, number, patient=patient)
            written = entry(
                caller, Event.JOURNAL_READ, patient=patient, request=asked(request),
                detail={"act": Act.QUESTIONED, "question": number},
            )  # fmt: skip
            await house.journal.record_within(connection, (written,))
    return RedirectResponse(f"/journal/dossiers/{id_}#questions", status_code=303)


def _of(visits: Sequence[Visit], about: str) -> Visit:
    """The visit that this entry belongs to, as the asker sees it. Raises NotFound."""
    found = next((visit for visit in visits if about in visit.events), None)
    if found is None:
        raise NotFound
    return found


def _show(request: Request, line: Line, about: str, text: str, error: str, until: Edge | None) -> Response:
    status = 400 if error else 200
    id_ = request.path_params["id"]
    return render(
        request, "audit/asking.html", status=status, line=line, about=about, text=text, error=error, id=id_, until=until
    )  # fmt: skip
