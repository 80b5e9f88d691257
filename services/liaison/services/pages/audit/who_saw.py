"""Qui a vu ce dossier ? For the person and who represents them: everyone who opened it. An officer's question: search.py."""

from collections.abc import Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.caller import Caller
from liaison.auth.journal import questions
from liaison.auth.journal.visits import Visit, who_saw
from liaison.fhir.errors import TooCostly
from liaison.services.pages.audit import person_view, search
from liaison.services.pages.audit.lines import Line, lines_of, worth_telling
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
    if me.role_code in search.OFFICERS:
        return await search.about_record(request)
    house, id_ = request.app.state.house, request.path_params["id"]
    visits = await visits_seen(request, caller, me)
    page = paged(request, visits, f"/journal/dossiers/{id_}")
    lines = await told(request, caller, page.shown)
    record = Record(house.engine, caller, address_of(request))
    gettext = translations(language_of(request)).gettext
    async with house.database.reading.acquire() as connection:
        asked = await questions.of_person(connection, house.vault, house.audit.patient(id_), caller.practitioner)
    asked_about = {one.entry for one in asked}
    return render(
        request,
        "audit/visits.html",
        visits=visits,
        page=page,
        lines=lines,
        id=id_,
        own=me.role_code == "patient",
        wishes=await recorded(record, id_, gettext),
        asked=asked,
        open_to_question=[not asked_about & set(line.visit.events) for line in lines],
    )


async def printed(request: Request) -> Response:
    """The same on paper."""
    caller, me = await signed_in(request)
    lines = await told(request, caller, await visits_seen(request, caller, me))
    return person_view.on_paper(request, lines, request.path_params["id"])


async def visits_seen(request: Request, caller: Caller, me: Me) -> list[Visit]:
    """What this person may know of who opened this record. Raises NotFound for a record that is not theirs."""
    house = request.app.state.house
    record = Record(house.engine, caller, address_of(request))
    if me.role_code in PERSONS:
        await patient_or_404(record, request.path_params["id"])
    return [one for one in await _visits(house, caller, request.path_params["id"]) if worth_telling(one)]


async def told(request: Request, caller: Caller, visits: Sequence[Visit]) -> list[Line]:
    """In words, with the names that this person may read."""
    house = request.app.state.house
    record = Record(house.engine, caller, address_of(request))
    return await lines_of(house.database, record, visits, translations(language_of(request)).gettext)


async def _visits(house: Any, caller: Caller, patient_id: str) -> list[Visit]:
    """Refusals are of officers; where a caller may not read them, none are looked for."""
    try:
        return await who_saw(house.audit, house.journal, caller, patient_id)
    except TooCostly:
        return await who_saw(house.audit, house.journal, caller, patient_id, refusals=False)
