"""Les tournées: the lines of a day, one visit added in between, and what a file of the planning would change (planning_file).

A line of a tour opens the record to its aide from 18 h the evening before to 24 hours after (domain notes §2.5): with what is published
here rights come and go, in the same transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.protocols import library
from liaison.protocols.forms import READY
from liaison.services.pages.clock import PARIS
from liaison.services.pages.home_service import arrivals
from liaison.services.pages.home_service.at_once import Slot, doubled, slot_of
from liaison.services.pages.home_service.differences import Difference, Named, appointment
from liaison.services.pages.home_service.naming import (
    aide_reference,
    aides_at_work,
    forms_of,
    patient_reference,
    people_of,
    refusals,
    with_stays,
)
from liaison.services.pages.home_service.tour_file import COLUMNS, FORMS, NEEDED, Wanted, read_tours
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reception.people_file import Problem
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import Me, address_of, signed_in

Tree = dict[str, Any]
PATH: Final = "/service/tournees"
MOST_TOLD: Final = 50
FAREST: Final = timedelta(days=400)
"""How far from today a day of the planning may be."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Of a file of the planning: what is wrong with it, or what it would change, and the file itself, to be sent once more. `aside`: the
    lines that are left out of it."""

    problems: Sequence[Problem] = ()
    found: Difference | None = None
    content: str = ""
    at_once: Sequence[tuple[Slot, Slot]] = ()
    aside: Sequence[Wanted] = ()


NOTHING: Final = Shown()


async def tours(request: Request) -> Response:
    """The day of the address, today without one."""
    record, _me = await opened(request)
    return await page_of(request, record, _day(request.query_params.get("jour", ""), record.now().date()))


async def add(request: Request) -> Response:
    """One visit that was not planned, of today or later."""
    record, me = await opened(request)
    form = await request.form()
    gettext = translations(language_of(request)).gettext
    today = record.now().date()
    day = _day(str(form.get("jour", "")), today)
    people, aides = await people_of(record), await aides_at_work(request)
    names = ("personne", "aide", "debut", "fin", "consigne", "formulaire")
    cells = {name: str(form.get(name, "")).strip() for name in names}
    found = [one for one in people if f"{one['id']}" == cells["personne"]]
    taker = [one for one in aides if str(one.of.role) == cells["aide"]]
    if not found or not taker:
        cells["faute"] = "aide" if found else "personne"
        return await page_of(request, record, day, problem=gettext(_("Choisissez la personne et l'aide.")), typed=cells)
    heading = "date;debut;fin;personne;aide;formulaire;consigne"
    words = cells["consigne"].replace('"', "'").replace("\n", " ").replace("\r", " ")
    line = f'{day};{cells["debut"]};{cells["fin"]};x;x;{cells["formulaire"]};"{words}"'
    rows, problems = read_tours(f"{heading}\n{line}\n".encode())
    if problems or day < today:
        said = (
            gettext(problems[0].words).replace("{given}", problems[0].given)
            if problems
            else gettext(_("Ce jour est passé."))
        )
        return await page_of(request, record, day, problem=said, typed=cells)
    patient = patient_reference(found[0])
    form_of = (await forms_of(record)).get(patient["reference"], "")
    [named] = await with_stays(record, [Named(rows[0], patient, aide_reference(record, taker[0]), form=form_of)])
    for one in await refusals(record, [named], taker):
        said = gettext(one.words).replace("{given}", one.given)
        return await page_of(request, record, day, problem=said, typed=cells | {"faute": "aide"})
    tree = appointment(named, me.organization_reference.partition("/")[2])
    del tree["identifier"]  # no file knows it: none takes it away
    await record.create({**tree, "created": record.now().isoformat(timespec="seconds")})
    return RedirectResponse(f"{PATH}?jour={day}&ajoutee={'pause' if named.away else 'oui'}", status_code=303)


async def page_of(
    request: Request,
    record: Record,
    day: date,
    shown: Shown = NOTHING,
    *,
    problem: str = "",
    typed: dict[str, str] | None = None,
) -> Response:
    gettext = translations(language_of(request)).gettext
    begin = datetime.combine(day, datetime.min.time(), PARIS)
    lines = await arrivals.planned(record, begin, begin + timedelta(days=1), gettext)
    told = [
        (one.line, one.column, gettext(one.words).replace("{given}", one.given)) for one in shown.problems[:MOST_TOLD]
    ]
    published = request.query_params.get("publie", "")
    twice = {one for pair in doubled(slot_of(one) for one in lines if not one.paused) for one in pair}
    return render(
        request,
        "home_service/tours.html",
        status=422 if problem or shown.problems else 200,
        day=day,
        before=day - timedelta(days=1),
        after=day + timedelta(days=1),
        today=record.now().date(),
        lines=[(one, slot_of(one) in twice) for one in lines if one.at >= begin],
        now=record.now(),
        people=[(str(one["id"]), identity(one)) for one in await people_of(record)],
        aides=[(str(one.of.role), one.name) for one in await aides_at_work(request)],
        problem=problem,
        problems=told,
        more=len(shown.problems) - len(told),
        typed=typed or {},
        found=shown.found,
        content=shown.content,
        at_once=shown.at_once,
        aside=shown.aside,
        added=request.query_params.get("ajoutee", ""),
        forms=[(word, library.shipped().tree(READY[code])["title"]) for word, code in FORMS.items() if code],
        columns=[(one, one in NEEDED) for one in COLUMNS],
        published=int(published) if published.isascii() and published.isdigit() and len(published) < 6 else 0,
    )


async def opened(request: Request) -> tuple[Record, Me]:
    caller, me = await signed_in(request)
    return Record(request.app.state.house.engine, caller, address_of(request)), me


def _day(typed: str, today: date) -> date:
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return today
    return day if abs(day - today) < FAREST else today
