"""Les tournées: the lines of a day, one visit added in between, and the file of the planning with what it would change.

A line of a tour opens the record to its aide from 18 h the evening before to 24 hours after (domain notes §2.5): with what is published
here rights come and go, in the same transaction. Nothing is published before the difference was shown.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key
from liaison.fhir.store.ids import Ids
from liaison.protocols import library
from liaison.protocols.forms import FORM, READY, wanted
from liaison.services.pages.clock import PARIS
from liaison.services.pages.home_service import arrivals
from liaison.services.pages.home_service.differences import Difference, Named, appointment, difference, transaction
from liaison.services.pages.home_service.tour_file import COLUMNS, FORMS, NEEDED, Wanted, plain, read_tours
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.reception.people_file import Problem
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.signed_in import Me, address_of, reference, signed_in
from liaison.services.pages.team.listing import Listed, listed

Tree = dict[str, Any]
PATH: Final = "/service/tournees"
MOST_PEOPLE: Final = 2000
MOST_TOLD: Final = 50


async def tours(request: Request) -> Response:
    """The day of the address, today without one."""
    record, _me = await _opened(request)
    return await _page(request, record, _day(request.query_params.get("jour", ""), record.now().date()))


async def add(request: Request) -> Response:
    """One visit that was not planned, of today or later."""
    record, me = await _opened(request)
    form = await request.form()
    gettext = translations(language_of(request)).gettext
    today = record.now().date()
    day = _day(str(form.get("jour", "")), today)
    people, aides = await _people(record), await aides_at_work(request)
    names = ("personne", "aide", "debut", "fin", "consigne", "formulaire")
    cells = {name: str(form.get(name, "")).strip() for name in names}
    found = [one for one in people if f"{one['id']}" == cells["personne"]]
    taker = [one for one in aides if str(one.of.role) == cells["aide"]]
    if not found or not taker:
        return await _page(request, record, day, problem=gettext(_("Choisissez la personne et l'aide.")), typed=cells)
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
        return await _page(request, record, day, problem=said, typed=cells)
    patient = _patient(found[0])
    named = Named(
        rows[0], patient, aide_reference(record, taker[0]), form=(await _forms(record)).get(patient["reference"], "")
    )
    tree = appointment(named, me.organization_reference.partition("/")[2])
    del tree["identifier"]  # no file knows it: none takes it away
    await record.create({**tree, "created": record.now().isoformat(timespec="seconds")})
    return RedirectResponse(f"{PATH}?jour={day}", status_code=303)


async def bring(request: Request) -> Response:
    """The file: first what it would change, then, at the second touch, that change."""
    record, me = await _opened(request)
    form = await request.form()
    content = await _content(form)
    today = record.now().date()
    if content is None:
        return await _page(request, record, today, problems=[Problem(0, "", _("Choisissez un fichier."))])
    rows, problems = read_tours(content)
    named, unknown = _named(record, rows, await _people(record), await aides_at_work(request))
    plans = await _forms(record)
    named = [replace(one, form=plans.get(one.patient["reference"], "")) for one in named]
    problems += unknown
    if rows and min(one.start for one in rows).date() < today - timedelta(days=1):
        problems.append(Problem(0, "", _("Le fichier a des visites d'avant hier : envoyez les jours à venir.")))
    if problems:
        return await _page(request, record, today, problems=problems)
    service = me.organization_reference.partition("/")[2]
    found = difference(named, await _of_days(record, rows), await _called_off(record, rows), service)
    if form.get("agir") != "publier" or not found.changes:
        kept = base64.b64encode(content).decode()
        return await _page(request, record, rows[0].start.date(), found=found, content=kept)
    try:
        await record.transact(transaction(found, service, record.now()))
    except Refused as refused:
        if refused.answered not in (409, 412):
            raise
        words = _("Quelqu'un a changé ces visites entre-temps. Rien n'est publié : envoyez le fichier de nouveau.")
        return await _page(request, record, rows[0].start.date(), problems=[Problem(0, "", words)])
    return RedirectResponse(f"{PATH}?jour={rows[0].start.date()}&publie={found.changes}", status_code=303)


async def _page(
    request: Request,
    record: Record,
    day: date,
    *,
    problem: str = "",
    problems: Sequence[Problem] = (),
    typed: dict[str, str] | None = None,
    found: Difference | None = None,
    content: str = "",
) -> Response:
    gettext = translations(language_of(request)).gettext
    begin = datetime.combine(day, datetime.min.time(), PARIS)
    lines = await arrivals.planned(record, begin, begin + timedelta(days=1), gettext)
    told = [(one.line, one.column, gettext(one.words).replace("{given}", one.given)) for one in problems[:MOST_TOLD]]
    published = request.query_params.get("publie", "")
    return render(
        request,
        "home_service/tours.html",
        status=422 if problem or problems else 200,
        day=day,
        before=day - timedelta(days=1),
        after=day + timedelta(days=1),
        today=record.now().date(),
        lines=[one for one in lines if one.at >= begin],
        now=record.now(),
        people=[(str(one["id"]), identity(one)) for one in await _people(record)],
        aides=[(str(one.of.role), one.name) for one in await aides_at_work(request)],
        problem=problem,
        problems=told,
        more=len(problems) - len(told),
        typed=typed or {},
        found=found,
        content=content,
        forms=[(word, library.shipped().tree(READY[code])["title"]) for word, code in FORMS.items() if code],
        columns=[(one, one in NEEDED) for one in COLUMNS],
        published=int(published) if published.isascii() and published.isdigit() and len(published) < 6 else 0,
    )


async def _opened(request: Request) -> tuple[Record, Me]:
    caller, me = await signed_in(request)
    return Record(request.app.state.house.engine, caller, address_of(request)), me


async def _people(record: Record) -> list[Tree]:
    found = await record.search("Patient", {"_count": "200"}, most=MOST_PEOPLE)
    return sorted(found, key=lambda one: identity(one).sorting)


async def aides_at_work(request: Request) -> list[Listed]:
    """Those who may take a visit."""
    caller, _me = await signed_in(request)
    return [
        one
        for one in await listed(request, caller)
        if one.on_phone and one.of.active and not one.of.over and not one.aside
    ]


async def _of_days(record: Record, rows: Sequence[Wanted]) -> list[arrivals.Planned]:
    """All lines of the days from the first to the last of the file."""
    begin, end = _days_of(rows)
    return [one for one in await arrivals.planned(record, begin, end) if begin <= one.at < end]


async def _called_off(record: Record, rows: Sequence[Wanted]) -> list[Tree]:
    begin, end = (one.isoformat() for one in _days_of(rows))
    query = [("date", f"ge{begin}"), ("date", f"lt{end}"), ("status", "cancelled"), ("_count", "200")]
    return await record.search("Appointment", query, most=arrivals.MOST)


def _days_of(rows: Sequence[Wanted]) -> tuple[datetime, datetime]:
    first = min(one.start for one in rows).date()
    last = max(one.start for one in rows).date() + timedelta(days=1)
    return datetime.combine(first, datetime.min.time(), PARIS), datetime.combine(last, datetime.min.time(), PARIS)


async def _forms(record: Record) -> dict[str, str]:
    """The code of the form that the home-help plan of each person names (CarePlan.activity.detail.instantiatesCanonical)."""
    query = {"category": "home-help", "status": "active", "_count": "200"}
    found: dict[str, str] = {}
    for plan in await record.search("CarePlan", query, most=MOST_PEOPLE):
        if (model := wanted({}, [plan])) != FORM:
            found[str(plan["subject"]["reference"])] = next(code for code, one in READY.items() if one == model)
    return found


def _named(
    record: Record, rows: Sequence[Wanted], people: Sequence[Tree], aides: Sequence[Listed]
) -> tuple[list[Named], list[Problem]]:
    """Whom each line names: one person of the service and one aide, or a problem."""
    named, problems = [], []
    for row in rows:
        persons = [one for one in people if _is_called(identity(one), row)]
        takers = [
            one for one in aides if plain(row.aide) in (plain(one.name), plain(one.of.username), _turned(one.name))
        ]
        if len(persons) != 1:
            words = _("Personne de ce nom n'est suivi par le service : « {given} ».")
            several = _("Plusieurs personnes ont ce nom : ajoutez la date de naissance de « {given} ».")
            problems.append(Problem(row.line, "personne", several if persons else words, row.person))
        if len(takers) != 1:
            words = _("Aucune aide en poste n'a ce nom : « {given} ».")
            several = _("Plusieurs aides ont ce nom : écrivez l'identifiant de « {given} ».")
            problems.append(Problem(row.line, "aide", several if takers else words, row.aide))
        if len(persons) == len(takers) == 1:
            named.append(Named(row, _patient(persons[0]), aide_reference(record, takers[0])))
    return named, problems


def _is_called(who: Identity, row: Wanted) -> bool:
    names = {
        plain(f"{one} {other}")
        for name in (who.family, who.called)
        for one, other in ((who.given, name), (name, who.given))
    }
    return plain(row.person) in names and row.born in ("", who.born)


def _turned(name: str) -> str:
    """'Anne Le Goff' as planning software writes it: 'LE GOFF Anne'."""
    first, _space, family = name.partition(" ")
    return plain(f"{family} {first}")


def _patient(tree: Tree) -> Tree:
    who = identity(tree)
    return {"reference": f"Patient/{tree['id']}", "display": f"{who.given} {who.called}".strip()}


def aide_reference(record: Record, one: Listed) -> Tree:
    ids = Ids(record.engine.store.vault.id_key)
    role = reference(ids, Key(0, kind_of("PractitionerRole"), one.of.role))
    return {"reference": role, "display": f"{one.name} ({one.role.lower()})"}


async def _content(form: FormData) -> bytes | None:
    sent = form.get("fichier")
    if isinstance(sent, UploadFile) and sent.filename:
        return await sent.read()
    try:
        return base64.b64decode(str(form.get("contenu", "")), validate=True) or None
    except binascii.Error:
        return None


def _day(typed: str, today: date) -> date:
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return today
    return day if abs(day - today) < timedelta(days=400) else today
