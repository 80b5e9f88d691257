"""« Hospitalisée », « Sortie »: stated by an aide, on the telephone or by the hospital, and in force once the manager confirms it.

One transaction: the visits to come pause or resume, the open alerts close with that reason, and at discharge the
step of the seven days is dated.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.protocols import codes, library, staying
from liaison.protocols.alerts import close, level_of
from liaison.protocols.flagging import BESIDES
from liaison.services.members import with_functions
from liaison.services.pages.changing import change
from liaison.services.pages.clinician import alerts
from liaison.services.pages.clinician.dossier import found, patient_or_404
from liaison.services.pages.home_care.today import OPEN
from liaison.services.pages.home_service.coming import visits
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.reading.states import in_error
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.signed_in import Me, address_of, signed_in

Tree = dict[str, Any]
STATED_WITHIN: Final = timedelta(days=14)
"""How long what an aide stated waits to be confirmed; and after how long a return is that of another stay."""
_MOST: Final = 200
_MOST_FLAGS: Final = 2000
_LONGEST: Final = 100


async def stay(request: Request) -> Response:
    record, me = await _opened(request)
    if request.method == "GET":
        return await _page(request, record, me)
    form = {name: str(value).strip() for name, value in (await request.form()).items()}
    gettext = translations(language_of(request)).gettext
    today = record.now().date()
    day = _day(form.get("jour", ""))
    if day is None or day > today or day < today - timedelta(days=400):
        return await _page(request, record, me, gettext(_("Donnez le jour : aujourd'hui, ou avant.")), form)
    id_ = request.path_params["id"]
    await patient_or_404(record, id_)
    current = await _current(record, f"Patient/{id_}")
    done = ""
    try:
        if form.get("acte") == "entree" and current is None:
            done = "?fait=entree"
            await _enter(record, me, f"Patient/{id_}", day, form.get("lieu", "")[:_LONGEST])
        elif form.get("acte") == "sortie" and current is not None:
            done = "?fait=sortie"
            await _leave(record, me, f"Patient/{id_}", day, current)
        elif form.get("acte") == "retour" and current is None:
            done = "?fait=sortie"
            await _leave(record, me, f"Patient/{id_}", day, None)
    except Refused as refused:
        if refused.answered not in (409, 412):
            raise
        words = _("Quelqu'un a changé ces visites entre-temps. Rien n'est enregistré : recommencez.")
        return await _page(request, record, me, gettext(words), form)
    return RedirectResponse(f"/service/sejour/{id_}{done}", status_code=303)


async def _page(
    request: Request, record: Record, me: Me, problem: str = "", typed: dict[str, str] | None = None
) -> Response:
    id_ = request.path_params["id"]
    patient = await patient_or_404(record, id_)
    current = await _current(record, f"Patient/{id_}")
    coming = await visits(record, me.organization_reference, f"Patient/{id_}", record.now().date())
    return render(
        request,
        "home_service/stay.html",
        status=422 if problem else 200,
        patient=patient,
        who=identity(patient),
        current=current,
        done=request.query_params.get("fait", "") == ("entree" if current else "sortie"),
        to_pause=[one for one in coming if one.get("status") in OPEN],
        to_resume=[one for one in coming if staying.is_paused(one)],
        today=record.now().date(),
        problem=problem,
        typed=typed or {},
    )


async def _enter(record: Record, me: Me, patient: str, since: date, place: str) -> None:
    by, now = me.signature, record.now()
    coming, open_alerts = await asyncio.gather(
        visits(record, me.organization_reference, patient, since), alerts.alerts_of(record, patient)
    )
    entries: list[Tree] = [
        {"resource": staying.flag(patient, since, place, by), "request": {"method": "POST", "url": "Flag"}}
    ]
    entries += [change(one, staying.paused(one)) for one in coming if one.get("status") in OPEN and _ahead(one, now)]
    entries += [
        change(one, close(one, staying.CODE, "Hospitalisation", by, now)) for one in open_alerts if level_of(one)
    ]
    await record.transact({"resourceType": "Bundle", "type": "transaction", "entry": entries})


async def _leave(record: Record, me: Me, patient: str, until: date, current: Tree | None) -> None:
    """`current` is None for somebody whose stay was over before anyone confirmed it: nothing had paused."""
    by, now = me.signature, record.now()
    of_patient = {"patient": patient, "_count": "100"}
    coming, tasks, teams = await asyncio.gather(
        visits(record, me.organization_reference, patient, until),
        found(record, "Task", {**of_patient, "code": f"{codes.STEP}|after-stay-7-days"}, 100),
        found(record, "CareTeam", {**of_patient, "status": "active"}, 10),
    )
    if current is not None:
        entries = [change(current, staying.over(current, until))]
    else:
        passed = {"resource": staying.passed(patient, until, by), "request": {"method": "POST", "url": "Flag"}}
        entries = [passed]
    entries += [change(one, staying.resumed(one)) for one in coming if staying.is_paused(one) and _ahead(one, now)]
    steps = [one for one in tasks if staying.is_step(one)]
    entries += [change(one, staying.dated(one, until, now)) for one in steps]
    if not steps:
        told = await with_functions(record, teams)
        made = staying.step(library.shipped(), patient, told, until, by, now)
        entries.append({"resource": made, "request": {"method": "POST", "url": "Task"}})
    await record.transact({"resourceType": "Bundle", "type": "transaction", "entry": entries})


async def _current(record: Record, patient: str) -> Tree | None:
    flags = await found(record, "Flag", {"patient": patient, "_sort": "-date", "_count": "100", **BESIDES}, 100)
    return next((one for one in flags if staying.is_stay(one)), None)


def _ahead(appointment: Tree, now: datetime) -> bool:
    """What began is over: it can neither pause nor resume."""
    at = moments.happened(appointment)
    return at is not None and at > now


@dataclass(frozen=True, slots=True)
class InHospital:
    """A stay that was confirmed and goes on. Since then an aide has found the person at home (`home`), or has said that they are out
    (`out`): when, None for never."""

    patient: str
    who: Identity
    flag: Tree
    home: datetime | None
    out: datetime | None


@dataclass(frozen=True, slots=True)
class Stated:
    """Who is in hospital, as an aide said at `at`, or is out again (`out`)."""

    patient: str
    who: Identity
    at: datetime | None
    out: bool


async def known(record: Record) -> tuple[list[Stated], list[InHospital]]:
    """Those of whom an aide has said, since their last stay, that they are in hospital or out again, which the manager has not
    confirmed; and the stays that go on, the longest first: from there their end is confirmed."""
    since = record.now() - STATED_WITHIN
    lately = {"date": f"ge{since.isoformat(timespec='seconds')}", "_count": "100"}
    seen, out, flags = await asyncio.gather(
        record.search("Observation", {**_IN, **lately}, most=_MOST),
        record.search("Observation", {**_OUT, **lately}, most=_MOST),
        _flags(record, since.date()),
    )
    stays = [one for one in flags if one["resourceType"] == "Flag" and staying.was_stay(one)]
    people = {
        f"Patient/{one['id']}": identity(one) for one in (*seen, *out, *flags) if one["resourceType"] == "Patient"
    }
    waiting: dict[str, Stated] = {}
    said = [one for one in (*seen, *out) if one["resourceType"] == "Observation" and not in_error(one)]
    back, again = {one["id"] for one in out}, set()
    for one in sorted(said, key=_when, reverse=True):  # what was seen last counts
        who, home = _subject(one), one["id"] in back
        if who not in people or not _new(one, who, stays):
            continue
        if home and any(_subject(stay) == who and _just_over(stay, one) for stay in stays):
            again.add(who)  # of that stay, unless another one was told of in between
            continue
        told = Stated(who.removeprefix("Patient/"), people[who], moments.happened(one), home or who in again)
        waiting.setdefault(who, told)
    going_on = [one for one in stays if staying.is_stay(one) and _subject(one) in people]
    homes = await asyncio.gather(*(_since(record, one, _HOME) for one in going_on))
    outs = await asyncio.gather(*(_since(record, one, _OUT) for one in going_on))
    return (
        [*waiting.values()],
        [
            InHospital(_subject(one).removeprefix("Patient/"), people[_subject(one)], one, home_at, out_at)
            for one, home_at, out_at in zip(going_on, homes, outs, strict=True)
        ],
    )


async def away(record: Record) -> frozenset[str]:
    """References of those who are in hospital now, as it was confirmed: none of their visits to come is to be booked."""
    flags = await _flags(record, record.now().date())
    return frozenset(_subject(one) for one in flags if one["resourceType"] == "Flag" and staying.is_stay(one))


async def _flags(record: Record, since: date) -> list[Tree]:
    """What was in force that day or later, with whom it is about."""
    query = {"date": f"ge{since}", "_sort": "date", "_include": "Flag:patient", "_count": "200", **BESIDES}
    return await record.search("Flag", query, most=_MOST_FLAGS)


def _stating(question: str, value: str) -> dict[str, str]:
    return {
        "code": f"{codes.HOME_CARE}|{question}",
        "value-concept": f"{codes.HOME_CARE}|{value}",
        "_include": "Observation:patient",
        "_sort": "-date",
    }


_IN: Final = _stating("presence", staying.CODE)
_HOME: Final = _stating("presence", "present")
_OUT: Final = _stating(staying.HOSPITAL, staying.DISCHARGED)


def _new(statement: Tree, who: str, stays: Iterable[Tree]) -> bool:
    """Whether it tells of another stay than those that are known: it was made after the last of them was over."""
    at = moments.happened(statement)
    return not any(
        staying.is_stay(one)
        or at is None
        or (f"{at:%Y-%m-%d}" <= one.get("period", {}).get("end", "") and (at < _minute(one) or _before(statement, one)))
        for one in stays
        if _subject(one) == who
    )


def _before(statement: Tree, stay: Tree) -> bool:
    """Whether it was there already when the stay, or its end, was confirmed."""
    return moments.written(statement) < moments.written(stay)


def _minute(stay: Tree) -> datetime:
    """When this was confirmed, as exactly as an aide says when her visit began."""
    return moments.written(stay).replace(second=0, microsecond=0)


def _when(statement: Tree) -> datetime:
    return moments.happened(statement) or moments.written(statement)


def _just_over(stay: Tree, statement: Tree) -> bool:
    """Whether it tells of the end of this stay, which is confirmed already: an aide says it at her first visit afterwards."""
    return f"{_when(statement) - STATED_WITHIN:%Y-%m-%d}" <= str(stay.get("period", {}).get("end", ""))


async def _since(record: Record, stay: Tree, stating: dict[str, str]) -> datetime | None:
    """Only what was seen after the stay was confirmed: that of its first day was before it."""
    query = {
        **stating,
        "patient": _subject(stay),
        "date": f"ge{_minute(stay).isoformat()}",
        "_lastUpdated": f"ge{stay['meta']['lastUpdated']}",
        "status:not": "entered-in-error",
        "_count": "1",
    }
    return next((moments.happened(one) for one in await found(record, "Observation", query, 1)), None)


def _subject(tree: Tree) -> str:
    return str((tree.get("subject") or {}).get("reference", ""))


async def _opened(request: Request) -> tuple[Record, Me]:
    caller, me = await signed_in(request)
    return Record(request.app.state.house.engine, caller, address_of(request)), me


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        return None
