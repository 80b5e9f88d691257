"""Qui a vu ce dossier ? For the person and who represents them: everyone who opened it. An officer's question: search.py."""

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.access.roles import OFFICERS
from liaison.auth.caller import Caller
from liaison.auth.journal import questions
from liaison.auth.journal.entry import Event, entry
from liaison.auth.journal.visits import Visit
from liaison.services.pages.audit import in_parts, person_view, search
from liaison.services.pages.audit.edges import Edge
from liaison.services.pages.audit.in_parts import Part
from liaison.services.pages.audit.lines import Line, lines_of
from liaison.services.pages.audit.paging import paged
from liaison.services.pages.clinician.dossier import patient_or_404
from liaison.services.pages.clinician.wishes import recorded
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import Me, address_of, signed_in

PERSONS: Final = frozenset({"patient", "guardian"})
"""They ask about a record that they see; another one is not there. An auditor sees none, and asks about any."""


async def visits_to(request: Request) -> Response:
    """Everyone who opened this record, latest first. The patient and the representative see their own."""
    caller, me = await signed_in(request)
    if me.role_code in OFFICERS:
        return await search.about_record(request)
    house, id_ = request.app.state.house, request.path_params["id"]
    part = await part_seen(request, caller, me, in_parts.before(request.query_params))
    page = paged(request, part.visits, f"/journal/dossiers/{id_}{'?' if part.query else ''}{part.query}")
    lines = await told(request, caller, page.shown)
    record = Record(house.engine, caller, address_of(request))
    gettext = translations(language_of(request)).gettext
    async with house.database.reading.acquire() as connection:
        asked = await questions.of_person(connection, house.vault, house.audit.patient(id_), caller.practitioner)
    asked_about = {one.entry for one in asked}
    return render(
        request,
        "audit/visits.html",
        part=part,
        page=page,
        lines=lines,
        id=id_,
        where=f"/journal/dossiers/{id_}",
        own=me.role_code == "patient",
        wishes=await recorded(record, id_, gettext),
        asked=asked,
        open_to_question=[not asked_about & set(line.visit.events) for line in lines],
    )


async def printed(request: Request) -> Response:
    """The same on paper."""
    caller, me = await signed_in(request)
    part = await part_seen(request, caller, me, in_parts.before(request.query_params))
    lines, own = await told(request, caller, part.visits), me.role_code == "patient"
    return person_view.on_paper(request, lines, request.path_params["id"], part, own=own)


async def part_seen(request: Request, caller: Caller, me: Me, until: Edge | None) -> Part:
    """What this person may know of who opened this record; in the journal as read before this returns. Raises NotFound for a
    record that is not theirs."""
    house, id_ = request.app.state.house, request.path_params["id"]
    if me.role_code in PERSONS:
        await patient_or_404(Record(house.engine, caller, address_of(request)), id_)
    found = await in_parts.part(house, caller, id_, until)
    about = house.audit.patient(id_) if found.read else 0
    query = "&".join(one for one in (f"patient=Patient/{id_}", found.query) if one)
    await house.journal.record([entry(caller, Event.JOURNAL_READ, patient=about, returned=found.read, query=query)])
    return found


async def told(request: Request, caller: Caller, visits: Sequence[Visit]) -> list[Line]:
    """In words, with the names that this person may read."""
    house = request.app.state.house
    record = Record(house.engine, caller, address_of(request))
    return await lines_of(house.database, record, visits, translations(language_of(request)).gettext)
