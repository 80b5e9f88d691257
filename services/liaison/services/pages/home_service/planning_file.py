"""The file of the planning: first what it would change, then, at the second touch, that change. Nothing is published before it was shown.

A file with a problem changes nothing. The lines of people whom the service does not follow here may be left aside, once they were seen.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.services.pages.home_service.at_once import Slot, doubled, slot_of
from liaison.services.pages.home_service.differences import Named, difference, number_of, transaction
from liaison.services.pages.home_service.known_lines import Known, known_lines, taken
from liaison.services.pages.home_service.naming import (
    Whom,
    aides_at_work,
    forms_of,
    people_of,
    refusals,
    unknown,
    whom,
    with_stays,
)
from liaison.services.pages.home_service.tour_file import read_tours
from liaison.services.pages.home_service.tours import FAREST, PATH, Shown, opened, page_of
from liaison.services.pages.marking import _
from liaison.services.pages.reception.people_file import Problem
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.team.listing import Listed

SENT_LIMIT: Final = 8 * 1024 * 1024
"""A file over the limit is still read to say so on the page; beyond this it is refused unread."""


async def bring(request: Request) -> Response:
    record, me = await opened(request)
    form = await request.form()
    content = await _content(form)
    today = record.now().date()
    if content is None:
        return await page_of(request, record, today, Shown([Problem(0, "", _("Choisissez un fichier."))]))
    rows, problems = read_tours(content)
    aides, service = await aides_at_work(request), me.organization_reference.partition("/")[2]
    named = whom(record, rows, await people_of(record), aides)
    problems += named.problems
    if rows and min(one.start for one in rows).date() < today - timedelta(days=1):
        problems.append(Problem(0, "", _("Le fichier a des visites d'avant hier : envoyez les jours à venir.")))
    if rows and max(one.start for one in rows).date() > today + FAREST:
        problems.append(Problem(0, "", _("Le fichier a des visites dans plus d'un an : vérifiez les dates.")))
    known = Known([], [], frozenset())
    if not problems:
        known = await known_lines(record, rows, named.named, service)
        problems = await _wrong(record, named, known, aides, service)
    aside = form.get("cote") == "oui"
    if problems or (named.strangers and not (aside and named.named)):
        # Alone they may be left aside; with others the file comes back anyway.
        may = _kept(content) if named.named and not problems else ""
        problems += [one for one in map(unknown, named.strangers) if one not in problems]
        return await page_of(request, record, today, Shown(sorted(problems, key=lambda one: one.line), content=may))
    plans = await forms_of(record)
    lines = [replace(one, form=plans.get(one.patient["reference"], "")) for one in named.named]
    lines = await with_stays(record, lines)
    found = difference(lines, known.planned, known.called_off, service, record.now())
    first = rows[0].start.date()
    if form.get("agir") != "publier" or not found.changes:
        beside = [one for one in known.planned if not (number_of(one.tree, service) or one.paused)]
        new = {_slot(one) for one in lines if not one.away}
        at_once = [pair for pair in doubled([*map(slot_of, beside), *new]) if not new.isdisjoint(pair)]
        return await page_of(request, record, first, Shown((), found, _kept(content), at_once, named.strangers))
    try:
        await record.transact(transaction(found, service, record.now()))
    except Refused as refused:
        if refused.answered not in (409, 412):
            raise
        words = _("Quelqu'un a changé ces visites entre-temps. Rien n'est publié : envoyez le fichier de nouveau.")
        return await page_of(request, record, first, Shown([Problem(0, "", words)]))
    return RedirectResponse(f"{PATH}?jour={first}&publie={found.changes}", status_code=303)


async def _wrong(record: Record, named: Whom, known: Known, aides: Sequence[Listed], service: str) -> list[Problem]:
    """What cannot be published of lines that can be read. A number that is planned here is of somebody who is followed: that their name
    is not known is a slip, and takes no visit away."""
    numbers = {number_of(one.tree, service) for one in known.planned} - {""}
    slips = [unknown(row) for row in named.strangers if row.number in numbers]
    return [*slips, *taken(named.named, known, service), *await refusals(record, named.named, aides)]


def _slot(one: Named) -> Slot:
    return Slot(
        one.aide["reference"], one.wanted.start, one.wanted.end, str(one.patient["display"]), str(one.aide["display"])
    )


def _kept(content: bytes) -> str:
    """As it goes from page to page."""
    return base64.b64encode(content).decode()


async def _content(form: FormData) -> bytes | None:
    sent = form.get("fichier")
    if isinstance(sent, UploadFile) and sent.filename:
        return await sent.read()
    try:
        return base64.b64decode(str(form.get("contenu", "")), validate=True) or None
    except binascii.Error:
        return None
