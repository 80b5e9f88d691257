"""What a person reads of the accesses to their record: on their own page, and in an officer's answer to them.

The answer shows what the person's own page would, and nothing more: what their class filter hides (a note about them from
someone else, a report of suspected abuse) is not told to have happened. The officer's journal entry has the officer's name.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth import sessions
from liaison.auth.access.purposes import Purpose
from liaison.auth.caller import Caller
from liaison.auth.journal.looking import tell
from liaison.auth.journal.visits import Visit
from liaison.auth.sessions import Act
from liaison.fhir.errors import NotFound
from liaison.fhir.store.contract import Key
from liaison.services.pages import clock
from liaison.services.pages.audit import in_parts, sheet
from liaison.services.pages.audit.edges import Edge
from liaison.services.pages.audit.in_parts import Part
from liaison.services.pages.audit.lines import Line, lines_of
from liaison.services.pages.audit.paging import paged
from liaison.services.pages.calendar_words import day_said
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.record import Record
from liaison.services.pages.sheets.printing import Part as Paragraph
from liaison.services.pages.sheets.printing import printed
from liaison.services.pages.signed_in import address_of, signed_in

_SECONDS = 60


async def answer(request: Request) -> Response:
    """An officer reads what will be answered."""
    id_, part = request.path_params["id"], await _part(request)
    page = paged(request, part.visits, f"/journal/reponses/{id_}{'?' if part.query else ''}{part.query}")
    return render(
        request,
        "audit/visits.html",
        part=part,
        page=page,
        lines=await _told(request, page.shown),
        id=id_,
        own=False,
        replying=True,
    )


async def answer_printed(request: Request) -> Response:
    """The same, to hand over."""
    part = await _part(request)
    return on_paper(request, await _told(request, part.visits), request.path_params["id"], part)


def on_paper(request: Request, lines: list[Line], id_: str, part: Part) -> Response:
    language = language_of(request)
    gettext, now = translations(language).gettext, clock.now(request)
    title = gettext(_("Qui a ouvert votre dossier"))
    made = [
        Paragraph("title", title),
        Paragraph(
            "text", gettext(_("Dossier %(number)s, le %(day)s")) % {"number": id_[:6], "day": _day(now, language)}
        ),
        sheet.hours_said(gettext),
        *_bounds(part, gettext, language),
        *(sheet.paragraphs(lines, language) or [Paragraph("text", gettext(_("Personne n'a ouvert ce dossier.")))]),
        Paragraph("heading", gettext(_("Un accès vous étonne ?"))),
        Paragraph(
            "text",
            gettext(_("Demandez au délégué à la protection des données : il vérifie, et il vous répond par écrit.")),
        ),
    ]
    return printed(request, made, title, language, "acces")


def _day(now: datetime, language: str) -> str:
    return day_said(now.date(), "d MMM y", language)


def _bounds(part: Part, gettext: Gettext, language: str) -> list[Paragraph]:
    """What is not on this sheet."""
    said = []
    if part.before:
        day = part.before.said(language)
        said.append(Paragraph("text", gettext(_("Accès d'avant le %(day)s.")) % {"day": day}))
    if part.older:
        day = part.older.said(language)
        said.append(
            Paragraph("text", gettext(_("Les accès d'avant le %(day)s sont sur une autre feuille.")) % {"day": day})
        )
    if part.readable:
        said.append(Paragraph("text", sheet.expired_said(part.readable, gettext, language)))
    if part.cut:
        said.append(Paragraph("text", gettext(_("Une visite en cours à cette heure-là est sur deux feuilles."))))
    return said


async def _part(request: Request) -> Part:
    """All those that the person may know of; in the journal as read before this returns."""
    caller, _me = await signed_in(request)
    house, id_ = request.app.state.house, request.path_params["id"]
    found = await as_the_person_would(house, caller, id_, in_parts.before(request.query_params))
    asked = "&".join(one for one in (f"reponse={id_}", found.query) if one)
    await tell(house.journal, caller, {house.audit.patient(id_)}, found.read, asked)
    return found


async def _told(request: Request, found: Sequence[Visit]) -> list[Line]:
    caller, _me = await signed_in(request)
    house = request.app.state.house
    record = Record(house.engine, caller, address_of(request))
    return await lines_of(house.database, record, found, translations(language_of(request)).gettext)


async def as_the_person_would(house: Any, caller: Caller, id_: str, until: Edge | None = None) -> Part:
    """Raises NotFound unless the officer answers for this record."""
    key = house.store.key("Patient", id_)
    if key is None or not await house.audit.answers_for(caller, key.patient):
        raise NotFound
    person = await _session_of(house, key)
    try:
        return await in_parts.part(house, person, id_, until)
    finally:
        await sessions.end_session(house.database.writing, person.session)


async def _session_of(house: Any, key: Key) -> Caller:
    """A session that sees this record as its person does, and no other, for as long as the answer is made."""
    act = Act((key.res,), Purpose.PATRQT, "patient", only_patient=key.patient)
    async with house.database.writing.acquire() as connection:
        session = await sessions.open_session(connection, act, sessions.BROWSER, _SECONDS)
        person = await sessions.caller_of(connection, session)
    if person is None:
        raise NotFound
    return person
