"""Reprendre une tournée: the visits that somebody absent was to make pass to whoever replaces them, in one act.

Each visit is an Appointment, and the line of a tour is what opens a record to an aide (domain notes §2.5): with the visit
goes the right, from 18 h the evening before to 24 hours after; the absent one's ends. The manager reads and writes these
as herself, so only what she may: the journal has each line with her name. What was made already stays where it is.
"""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key
from liaison.fhir.store.ids import Ids
from liaison.protocols.staying import is_paused
from liaison.services.pages.home_care.today import OPEN
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.appointments import asked
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.reading.states import in_error
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, reference, signed_in
from liaison.services.pages.team import days
from liaison.services.pages.team.acts import last_day_of
from liaison.services.pages.team.days import NotComplete
from liaison.services.pages.team.listing import KIND, Listed, listed
from liaison.services.pages.team.staff import PARIS

Tree = dict[str, Any]
PATH: Final = "/equipe/tournee"
MANAGERS: Final = frozenset({"home-service-manager"})
LONGEST: Final = timedelta(days=31)
_SUNDAY: Final = 6
_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """A visit to come. `beside`: the one who would take it has another at that time; `refused`: the person has said that
    they do not open the record, so they could not prepare this visit."""

    tree: Tree
    who: Identity
    at: datetime | None
    until: datetime | None
    what: str
    beside: bool = False
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """Whose visits, whose they become, and which days, both whole. None for somebody who is not chosen yet."""

    absent: Listed | None
    taker: Listed | None
    since: date
    until: date


async def tour(request: Request) -> Response:
    return await (_give if request.method == "POST" else _show)(request)


async def _show(request: Request) -> Response:
    """The form; with somebody absent, their visits to come; with somebody who replaces them, those that are theirs."""
    return await _page(request, dict(request.query_params))


async def _page(request: Request, given: dict[str, str], problem: NotComplete | None = None) -> Response:
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    gettext = translations(language_of(request)).gettext
    people, today = await listed(request, caller), record.now().date()
    stretch: Stretch | None = None
    try:
        stretch = entered(given, people, today)
    except NotComplete as wrong:
        problem = problem or wrong
    coming: list[Line] = []
    theirs: list[Line] = []
    if stretch is not None:
        coming, theirs = await asyncio.gather(
            _lines(record, stretch.absent, stretch, gettext), _lines(record, stretch.taker, stretch, gettext)
        )
        if stretch.taker is not None:
            coming = await _marked(record, coming, theirs, stretch.taker)
    return render(
        request,
        "team/tour.html",
        status=422 if problem else 200,
        stretch=stretch,
        coming=coming,
        theirs=theirs,
        absent=[(one.of.role, one.name) for one in people if may_be_absent(one, given.get("de", ""))],
        takers=[(one.of.role, one.name) for one in people if _works(one)],
        given={"debut": today.isoformat(), "fin": week_end(today).isoformat(), **given},
        wrong=problem.field if problem else "",
        error=gettext(problem.words) if problem else "",
    )


async def _give(request: Request) -> Response:
    """The chosen visits change hands, all of them or none. One that is no longer the absent one's stays as it is."""
    caller, _me = await signed_in(request)
    form = await request.form()
    given = {name: str(form.get(name, "")).strip()[:40] for name in ("de", "vers", "debut", "fin")}
    record = Record(request.app.state.house.engine, caller, address_of(request))
    gettext = translations(language_of(request)).gettext
    try:
        stretch = entered(given, await listed(request, caller), record.now().date())
        if stretch.absent is None or stretch.taker is None:
            raise NotComplete("vers", _("Dites qui est absent, et qui prend ses visites."))
        chosen = {str(one) for one in form.getlist("visite")}
        lines = await _marked(record, await _lines(record, stretch.absent, stretch, gettext), [], stretch.taker)
        taken = [one for one in lines if one.tree["id"] in chosen and not one.refused]
        if not taken:
            raise NotComplete("visites", _("Choisissez au moins une visite."))
    except NotComplete as problem:
        return await _page(request, given, problem)
    ids = Ids(record.engine.store.vault.id_key)
    named = {
        "reference": _role(ids, stretch.taker),
        "display": f"{stretch.taker.name} ({stretch.taker.role.lower()})",
    }
    await record.transact(handed_over(taken, names_of(ids, stretch.absent), named))
    after = f"{PATH}?vers={given['vers']}&debut={stretch.since}&fin={stretch.until}#visites"
    return RedirectResponse(after, status_code=303)


def entered(given: dict[str, str], people: Sequence[Listed], today: date) -> Stretch:
    """Raises NotComplete for days that are not, that are too many, or on which whoever takes the visits does not work."""
    since = days.first(given.get("debut", ""), today)
    until = days.last(given.get("fin", "") or week_end(since).isoformat(), since, today, needed=True) or since
    if until - since > LONGEST:
        raise NotComplete("fin", _("Un mois au plus à la fois."))
    absent = _chosen("de", given.get("de", ""), [one for one in people if one.on_phone])
    taker = _chosen("vers", given.get("vers", ""), [one for one in people if _works(one)])
    if absent is not None and taker is not None and absent.of.practitioner == taker.of.practitioner:
        raise NotComplete("vers", _("C’est la même personne : choisissez-en une autre."))
    if taker is not None:
        last = last_day_of(taker.of)
        if taker.of.starts.astimezone(PARIS).date() > since or (last is not None and last < until):
            raise NotComplete(
                "fin", _("Ces jours ne sont pas tous dans son contrat : changez-les, ou son dernier jour.")
            )
    return Stretch(absent, taker, since, until)


def week_end(day: date) -> date:
    """The Sunday of that week."""
    return day + timedelta(days=_SUNDAY - day.weekday())


def may_be_absent(one: Listed, chosen: str) -> bool:
    """Who works there still, suspended or not; and whoever has left and is `chosen`, from their card."""
    return one.on_phone and (not one.of.over or str(one.of.role) == chosen)


def _works(one: Listed) -> bool:
    return one.on_phone and one.of.active and not one.of.over and not one.aside


def _chosen(field: str, number: str, people: Sequence[Listed]) -> Listed | None:
    if not number:
        return None
    found = next((one for one in people if str(one.of.role) == number), None)
    if found is None:
        raise NotComplete(field, _("Choisissez une personne de la liste."))
    return found


def _role(ids: Ids, one: Listed) -> str:
    return reference(ids, Key(0, kind_of("PractitionerRole"), one.of.role))


def names_of(ids: Ids, one: Listed) -> frozenset[str]:
    """Both references by which a line may name somebody."""
    return frozenset({_role(ids, one), reference(ids, Key(0, KIND, one.of.practitioner))})


async def _lines(record: Record, whose: Listed | None, stretch: Stretch, say: Gettext) -> list[Line]:
    """Their visits of those days that were not made and not called off, in order; what pauses while the person is in hospital too: somebody
    makes it after the discharge."""
    if whose is None:
        return []
    begin = datetime.combine(stretch.since, datetime.min.time(), PARIS)
    end = datetime.combine(stretch.until + timedelta(days=1), datetime.min.time(), PARIS)
    names = names_of(Ids(record.engine.store.vault.id_key), whose)
    query = [
        ("date", f"ge{begin.isoformat()}"),
        ("date", f"lt{end.isoformat()}"),
        ("actor", ",".join(sorted(names))),
        ("_sort", "date"),
        ("_include", "Appointment:patient"),
        ("_count", "200"),
    ]
    made = {"date": f"ge{begin.isoformat()}", "_count": "200"}
    found, visits = await asyncio.gather(
        record.search("Appointment", query, most=2 * _MOST), record.search("Encounter", made, most=_MOST)
    )
    patients = {f"Patient/{tree['id']}": tree for tree in found if tree["resourceType"] == "Patient"}
    done = {str(a.get("reference", "")) for e in visits if not in_error(e) for a in e.get("appointment", [])}
    return [
        Line(tree, identity(patients[patient]), _moment(tree, "start"), _moment(tree, "end"), asked(tree, say))
        for tree in found
        if tree["resourceType"] == "Appointment"
        and (tree.get("status") in OPEN or is_paused(tree))
        and f"Appointment/{tree['id']}" not in done
        and (patient := _patient(tree)) in patients
    ]


def _moment(appointment: Tree, name: str) -> datetime | None:
    return moments.moment(str(appointment[name])) if appointment.get(name) else None


def _patient(appointment: Tree) -> str:
    actors = (str((one.get("actor") or {}).get("reference", "")) for one in appointment.get("participant", ()))
    return next((one for one in actors if one.startswith("Patient/")), "")


async def _marked(record: Record, lines: Sequence[Line], theirs: Sequence[Line], taker: Listed) -> list[Line]:
    """With what stands against giving each to this person."""
    ids = Ids(record.engine.store.vault.id_key)
    names = names_of(ids, taker)
    refusing = await refused_by(record, names) if lines else frozenset()
    return [
        Line(
            one.tree,
            one.who,
            one.at,
            one.until,
            one.what,
            beside=any(at_once(one, other) for other in theirs),
            refused=_patient(one.tree) in refusing,
        )
        for one in lines
    ]


async def refused_by(record: Record, names: Collection[str]) -> frozenset[str]:
    """References of the persons who have said that whoever goes by these names does not open their record."""
    query = {"actor": ",".join(sorted(names)), "status": "active,proposed", "_count": "200"}
    stated = await record.search("Consent", query, most=_MOST)
    return frozenset(
        str((one.get("patient") or {}).get("reference", "")) for one in stated if denies(one.get("provision"), names)
    )


def denies(provision: object, names: Collection[str]) -> bool:
    """Whether it opposes one of these, at any depth."""
    if isinstance(provision, list):
        return any(denies(one, names) for one in provision)
    if not isinstance(provision, dict):
        return False
    named = {str((one.get("reference") or {}).get("reference", "")) for one in provision.get("actor") or ()}
    here = provision.get("type") == "deny" and bool(named & set(names))
    return here or denies(provision.get("provision"), names)


def at_once(one: Line, other: Line) -> bool:
    """Whether one person cannot make both. What has no end is a moment."""
    if one.at is None or other.at is None:
        return False
    return one.at < (other.until or other.at) and other.at < (one.until or one.at)


def handed_over(lines: Sequence[Line], absent: Collection[str], taker: Tree) -> Tree:
    """The transaction that puts `taker` in the place of whoever goes by these names, in the versions that were read."""
    entries = []
    for line in lines:
        others = [one for one in line.tree["participant"] if _actor(one) not in (*absent, taker["reference"])]
        tree = {**line.tree, "participant": [*others, {"actor": taker, "status": "accepted"}]}
        request = {
            "method": "PUT",
            "url": f"Appointment/{tree['id']}",
            "ifMatch": f'W/"{tree["meta"]["versionId"]}"',
        }
        entries.append({"resource": tree, "request": request})
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _actor(participant: Tree) -> str:
    return str((participant.get("actor") or {}).get("reference", ""))
