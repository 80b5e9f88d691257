"""What a person reads of the accesses to their record: on their own page, and in an officer's answer to them.

The answer shows what the person's own page would, and nothing more: what their class filter hides (a note about them from
someone else, a report of suspected abuse) is not told to have happened. So it is with the answer to who represents them, whose
filter hides more: a minor's secret, what is sensitive (rule 22). The officer's journal entry has the officer's name.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth import sessions
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation
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
from liaison.services.pages.signed_in import Me, address_of, signed_in

PATH: Final = "/journal/reponses"
REPRESENTED: Final = "/representant"
"""After the address of an answer: that to who represents the person."""
_SECONDS = 60


async def answer(request: Request) -> Response:
    """An officer reads what will be answered."""
    id_, part = request.path_params["id"], await _part(request)
    represented = _to_representative(request)
    where = f"{PATH}/{id_}{REPRESENTED if represented else ''}"
    page = paged(request, part.visits, f"{where}{'?' if part.query else ''}{part.query}")
    return render(
        request,
        "audit/visits.html",
        part=part,
        page=page,
        lines=await _told(request, page.shown),
        id=id_,
        own=False,
        where=where,
        replying=True,
        represented=represented,
    )


async def answer_printed(request: Request) -> Response:
    """The same, to hand over."""
    _caller, me = await signed_in(request)
    part = await _part(request)
    own = not _to_representative(request)
    lines = await _told(request, part.visits)
    return on_paper(request, lines, request.path_params["id"], part, own=own, answers=me)


def _to_representative(request: Request) -> bool:
    return REPRESENTED in request.url.path


def on_paper(
    request: Request, lines: list[Line], id_: str, part: Part, *, own: bool, answers: Me | None = None
) -> Response:
    language = language_of(request)
    gettext, now = translations(language).gettext, clock.now(request)
    title = gettext(
        _("Qui a ouvert votre dossier") if own else _("Qui a ouvert le dossier de la personne que vous représentez")
    )
    made = [
        Paragraph("title", title),
        Paragraph(
            "text", gettext(_("Dossier %(number)s, le %(day)s")) % {"number": id_[:6], "day": _day(now, language)}
        ),
        *([Paragraph("text", sheet.made(now, answers, gettext, language))] if answers else []),
        sheet.hours_said(gettext),
        *_bounds(part, gettext, language),
        *(sheet.paragraphs(lines, language) or [Paragraph("text", gettext(_nobody(part)))]),
        Paragraph("heading", gettext(_("Un accès vous étonne ?"))),
        Paragraph(
            "text",
            gettext(_("Demandez au délégué à la protection des données : il vérifie, et il vous répond par écrit.")),
        ),
    ]
    return printed(request, made, title, language, "acces")


def _nobody(part: Part) -> str:
    """What an empty sheet says: of a part of the time it says nothing about the rest."""
    whole = not (part.before or part.older or part.readable)
    return _("Personne n'a ouvert ce dossier.") if whole else _("Rien à cette période.")


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
    represented = _to_representative(request)
    until = in_parts.before(request.query_params)
    found = await as_the_person_would(house, caller, id_, until, represented=represented)
    asked = "&".join(one for one in (f"reponse={id_}", "pour=representant" if represented else "", found.query) if one)
    await tell(house.journal, caller, {house.audit.patient(id_)}, found.read, asked)
    return found


async def _told(request: Request, found: Sequence[Visit]) -> list[Line]:
    caller, _me = await signed_in(request)
    house = request.app.state.house
    record = Record(house.engine, caller, address_of(request))
    return await lines_of(house.database, record, found, translations(language_of(request)).gettext)


async def as_the_person_would(
    house: Any, caller: Caller, id_: str, until: Edge | None = None, *, represented: bool = False
) -> Part:
    """Or as who represents them would. Raises NotFound unless the officer answers for this record, for one that was destroyed, and
    where nobody represents the person."""
    key = house.store.key("Patient", id_)
    if key is None or not await house.audit.answers_for(caller, key.patient) or not await _kept(house, key.patient):
        raise NotFound
    reader = await _session_of(house, key, represented=represented)
    try:
        return await in_parts.part(house, reader, id_, until)
    finally:
        await sessions.end_session(house.database.writing, reader.session)


async def _kept(house: Any, patient: int) -> bool:
    kept = "select exists (select from patient where patient = $1 and state = 0)"
    return bool(await house.database.reading.fetchval(kept, patient))


async def represented(request: Request, id_: str) -> bool:
    """Whether somebody represents the person now."""
    house = request.app.state.house
    return bool(await _representative(house.database.reading, house.audit.patient(id_)))


async def _representative(base: Any, patient: int) -> int:
    """Of several, the one who may read least, since the answer does not know which of them asks; 0 for none."""
    found = await base.fetchval(
        "select r.principal from relation r left join access_grant g on g.patient = r.patient and g.principal = r.principal"
        " and g.valid_from <= now() and g.valid_to > now() where r.patient = $1 and r.relation = $2 and r.valid_from <= now()"
        " and r.valid_to > now() group by r.principal order by count(g.principal), r.principal limit 1",
        patient,
        int(Relation.REPRESENTED),
    )
    return int(found or 0)


async def _session_of(house: Any, key: Key, *, represented: bool) -> Caller:
    """A session that sees this record as its person does, or who represents them, and no other, for as long as the answer is made."""
    async with house.database.writing.acquire() as connection:
        reader = await _representative(connection, key.patient) if represented else key.res
        if not reader:
            raise NotFound
        role = "guardian" if represented else "patient"
        act = Act((reader,), Purpose.PATRQT, role, only_patient=key.patient)
        session = await sessions.open_session(connection, act, sessions.BROWSER, _SECONDS)
        person = await sessions.caller_of(connection, session)
    if person is None:
        raise NotFound
    return person
