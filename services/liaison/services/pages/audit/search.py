"""An officer's question and its answer: the address is the question, each filter a link, each line a visit."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access.purposes import Purpose
from liaison.auth.caller import Caller
from liaison.auth.journal.looking import tell
from liaison.auth.journal.visits import Visit
from liaison.services.pages import clock
from liaison.services.pages.audit.answer import DAYS, HOURS, Answer, answer
from liaison.services.pages.audit.lines import PURPOSES, directory_names, lines_of
from liaison.services.pages.audit.paging import paged
from liaison.services.pages.audit.question import Question, Unread, asked, written
from liaison.services.pages.audit.tasks_said import role_said
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

_FEW: Final = 8
_TITLES: Final = {
    "personne": _("Personne"),
    "structure": _("Structure"),
    "role": _("Rôle"),
    "motif": _("Motif"),
    "heure": _("Heure"),
    "logiciel": _("Logiciel"),
}
_SHADES: Final = 4


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that narrows, or (`chosen`) the one that does: its link takes it away."""

    words: str
    count: int
    address: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Facet:
    title: str
    choices: list[Choice]


async def search(request: Request) -> Response:
    """What is asked in the address. The line of an expert (`q`) becomes an address first."""
    line = request.query_params.get("q")
    try:
        if line is not None:
            return RedirectResponse(written(line[:1000]).address, status_code=303)
        return await _answered(request, asked(request.query_params.multi_items()))
    except Unread as error:
        return _not_understood(request, error, line)


async def about_record(request: Request) -> Response:
    """The same of one record, which the path names."""
    given = [*request.query_params.multi_items(), ("dossier", request.path_params["id"])]
    try:
        return await _answered(request, asked(given))
    except Unread as error:
        return _not_understood(request, error, None)


def _not_understood(request: Request, error: Unread, line: str | None) -> Response:
    gettext = translations(language_of(request)).gettext
    given = " ".join(f"{name}:{value}" for name, value in request.query_params.multi_items())
    return render(
        request, "audit/answer.html", status=400, error=error.told(gettext), line=given if line is None else line
    )  # fmt: skip


async def _answered(request: Request, question: Question) -> Response:
    caller, _me = await signed_in(request)
    house = request.app.state.house
    found = await answer(house, caller, question, clock.now(request))
    page = paged(request, found.visits, question.address)
    shown = page.shown
    await told(house, caller, shown, question)
    gettext = translations(language_of(request)).gettext
    record = Record(house.engine, caller, address_of(request))
    ids = await house.audit.patient_ids({one.patient for one in shown} | {p for one in shown for p in one.people})
    facets = await _facets(record, found, gettext)
    who = await directory_names(record, [f"Practitioner/{question.personne}"]) if question.personne else {}
    return render(
        request,
        "audit/answer.html",
        error="",
        question=question,
        line=question.line,
        who=next(iter(who.values()), ""),
        answer=found,
        last=found.until,
        lines=await lines_of(house.database, record, shown, gettext, ids),
        page=page,
        facets=facets,
        times=[(first, last, count, _between(question, first, last)) for first, last, count in found.times],
        hours=_hours(found),
        days=DAYS,
    )


async def told(house: Any, caller: Caller, visits: Iterable[Visit], question: Question) -> None:
    """That entries of these visits are shown: durable before they are."""
    shown = list(visits)
    about = {one.record.patient for visit in shown for one in visit.lines} | (
        {house.audit.patient(question.dossier)} if question.dossier and shown else set()
    )
    await tell(house.journal, caller, about, sum(len(one.lines) for one in shown), question.query)


def _between(question: Question, first: date, last: date) -> str:
    return question.asking(du=first.isoformat(), au=last.isoformat()).address


async def _facets(record: Record, found: Answer, gettext: Callable[[str], str]) -> list[Facet]:
    facets = found.facets
    names = await directory_names(
        record,
        [
            *(f"Practitioner/{value}" for value, _ in facets["personne"][:_FEW]),
            *(f"Organization/{value}" for value, _ in facets["structure"][:_FEW]),
        ],
    )
    software = dict(found.clients.values())

    def words(name: str, value: str) -> str:
        match name:
            case "personne":
                return names.get(f"Practitioner/{value}", gettext(_("Une personne")))
            case "structure":
                return names.get(f"Organization/{value}", gettext(_("Une structure")))
            case "role":
                return role_said(value, gettext) or gettext(_("Tâche du service"))
            case "motif":
                return gettext(PURPOSES[Purpose[value]])
            case "heure":
                return gettext(_("de %(first)s h à %(last)s h")) % {"first": value, "last": int(value) + 1}
            case _:
                return software.get(value, value)

    made = []
    for name, title in _TITLES.items():
        choices = [
            Choice(words(name, value), count, found.question.asking(**{name: "" if chosen else value}).address, chosen)
            for value, count in (facets[name] if name == "heure" else facets[name][:_FEW])
            for chosen in (getattr(found.question, name) == value,)
        ]
        if choices:
            made.append(Facet(gettext(title), choices))
    return made


def _hours(found: Answer) -> list[tuple[int, list[tuple[int, int, str]]]]:
    """A row an hour: the number of each day, a shade from 0 to 4, and the address of what it counts."""
    counted = found.hours
    most = max(counted.values(), default=0)
    return [
        (
            hour,
            [
                (
                    count,
                    -(-count * _SHADES // most) if count else 0,
                    found.question.asking(heure=str(hour), jour=str(day)).address,
                )
                for day in DAYS
                for count in (counted.get((hour, day), 0),)
            ],
        )
        for hour in HOURS
    ]
