"""One person's shared record on one page: À savoir, alerts, what changed since my last visit, plan, problems, treatment."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.access import adopted
from liaison.auth.access.classes import Class
from liaison.auth.access.open_here import open_here
from liaison.fhir.errors import NotFound
from liaison.fhir.store import faults
from liaison.protocols.flagging import BESIDES
from liaison.services import visit_forms
from liaison.services.pages.applications.opening import apps
from liaison.services.pages.clinician import treatments
from liaison.services.pages.clinician.alerts import alerts_of, seen_before, told
from liaison.services.pages.clinician.last_visit import last_visit
from liaison.services.pages.clinician.news import FIRST_LOOK, MOST_NEWS, is_new, told_once
from liaison.services.pages.clinician.place import Place
from liaison.services.pages.clinician.teams import members, teams_of
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.reading import medicines, moments
from liaison.services.pages.reading.allergies import gravest_first, shown
from liaison.services.pages.reading.classes import in_words
from liaison.services.pages.reading.contact import contact
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reading.medicines import prohibits
from liaison.services.pages.reading.states import in_force
from liaison.services.pages.reading.states import stands as stands_today
from liaison.services.pages.record import Record
from liaison.services.pages.role_names import writes

Tree = dict[str, Any]

# What stands today, by the filter that says so (R4 gives Flag no search parameter for its status), and the parameter that
# says when it was written down. Years of what is over are not read for it, nor can they push it off a page.
_OVER: Final = "not (clinical-status eq resolved or clinical-status eq inactive or clinical-status eq remission)"
STANDING: Final = {
    "Flag": ("", "date"),
    "Condition": (_OVER, "recorded-date"),
    "AllergyIntolerance": (_OVER, "date"),
    "MedicationRequest": ("status eq active or status eq unknown", "authoredon"),
    "MedicationStatement": ("status eq active or status eq intended or status eq unknown", "effective"),
    "CarePlan": ("status eq active", "date"),
    "ServiceRequest": ("status eq active or status eq unknown or status eq on-hold", "authored"),
}
# Read since a moment only, with the parameter that says when it happened. What the caller may not see is not there.
GROWING: Final = {
    "Observation": "date",
    "Encounter": "date",
    "DocumentReference": "date",
    "Communication": "sent",
    "QuestionnaireResponse": "authored",
    "Immunization": "date",
    "DiagnosticReport": "date",
    "Procedure": "date",
}
# What ended, by the statuses that say so, and the parameter that says when.
STOPPED: Final = {
    "MedicationRequest": ("stopped,completed,on-hold", "authoredon"),
    "MedicationStatement": ("stopped,completed,on-hold,not-taken", "effective"),
}
MOST_STOPPED: Final = 100
COMING: Final = frozenset({"proposed", "pending", "booked", "arrived", "checked-in"})


async def patient_or_404(record: Record, id_: str) -> Tree:
    """The Patient, or the one answer for absent and hidden."""
    patient = await record.read(f"Patient/{id_}")
    if patient is None:
        raise NotFound
    return patient


async def found(record: Record, type_: str, query: dict[str, str], most: int = 50) -> list[Tree]:
    """Record.found, of fewer."""
    return await record.found(type_, query, most=most)


@dataclass(frozen=True, slots=True)
class Unsent:
    """An instruction that was not sent: to which alert, what was typed, and what is wrong with it."""

    alert: str
    typed: str
    problem: str


_TO_KNOW: Final = Class.SAFETY | Class.ALLERGY | Class.MEDS | Class.CLIN
"""What « À savoir » is made of: instructions, allergies, treatments that are ruled out, and what is not to be done."""


async def open_to(request: Request, place: Place) -> Class:
    """What this record has that is open to whoever looks at it: what they do not see is not told as if it were not there."""
    store = request.app.state.house.store
    key = store.key("Patient", place.id)
    assert key is not None, "it was read"
    with faults.reported():
        async with store.database.reading.acquire() as connection:
            return await open_here(connection, store.vault, place.caller.session, key.patient)


async def show(request: Request, place: Place, unsent: Unsent | None = None) -> Response:
    house, record = request.app.state.house, place.record
    patient = await patient_or_404(record, place.id)
    reference = f"Patient/{place.id}"
    since = await last_visit(house.database.reading, house.vault, place.caller, reference)
    now = record.now()
    today = now.date()
    ahead = {"patient": reference, "date": f"ge{today.isoformat()}", "_sort": "date", "_count": "20"}
    open_classes = await open_to(request, place)
    alerts, planned, teams, news, ended, *standing = await asyncio.gather(
        alerts_of(record, reference),
        found(record, "Appointment", ahead, 20),
        teams_of(record, reference),
        growing(record, reference, since),
        stopped(record, reference),
        *(stands(record, reference, type_, since) for type_ in STANDING),
    )
    flags, problems, allergies, requested, stated, plans, orders = standing
    prescribed = treatments.sorted_out([*requested, *stated, *ended], now)
    opened = await apps(request) if place.urgent is None else []
    table = await adopted.in_force(house.database)
    gettext = translations(language_of(request)).gettext
    already = await seen_before(record, reference, request.query_params.get("deja-vue", ""), gettext)
    fresh = news + [tree for trees in standing for tree in trees if is_new(tree, since, now)]
    return render(
        request,
        "clinician/dossier.html",
        status=400 if unsent else 200,
        unsent=unsent,
        already=already,
        form_targets=[app.origin for app in opened],
        apps=opened,
        place=place,
        patient=patient,
        who=identity(patient),
        today=today,
        planned=coming(planned, now),
        since=since,
        changed=told_once(fresh, await visit_forms.of_all(house.database, fresh))[:MOST_NEWS],
        undone=[one for one in orders if prohibits(one)],
        unread=in_words(_TO_KNOW & ~open_classes, gettext),
        clinical=bool(open_classes & Class.CLIN),
        medicated=bool(open_classes & Class.MEDS),
        coordinated=bool(open_classes & Class.COORD),
        scheduled=bool(open_classes & Class.APPT),
        flags=in_force(flags, now),
        problems=[one for one in problems if stands_today(one)],
        treatments=prescribed,
        contact=contact(patient, now, gettext),
        allergies=gravest_first(shown([one for one in allergies if stands_today(one)])),
        plans=in_force(plans, now),
        team=list(dict.fromkeys(member for team in teams for member in members(team, now, gettext))),
        alerts=[told(task, now, gettext) for task in alerts],
        may_answer=place.writes and writes(table, place.me.role_code, Class.ALERT),
        may_note=place.writes and writes(table, place.me.role_code, Class.CLIN),
    )


def coming(planned: list[Tree], now: datetime) -> list[Tree]:
    """Of these Appointments, those that are still to come or under way: a visit of this morning is not the next one."""
    return [one for one in planned if one.get("status") in COMING and not moments.over(one, now)]


async def growing(record: Record, reference: str, since: datetime | None) -> list[Tree]:
    """What the record received since that moment; at a first look, what happened in the last weeks."""
    lists = await asyncio.gather(
        *(
            found(record, type_, {"patient": reference, **_later(since, date, record.now()), "_count": "100"}, 100)
            for type_, date in GROWING.items()
        )
    )
    return [tree for trees in lists for tree in trees]


async def stands(record: Record, reference: str, type_: str, since: datetime | None) -> list[Tree]:
    """What stands of that type, and what is new since that moment though it no longer stands."""
    filter_, date = STANDING[type_]
    name, when = _new(since, date, record.now())
    query = {"patient": reference, "_count": "200"} | ({"_filter": f"{filter_} or {name} {when}"} if filter_ else {})
    if type_ == "Flag":
        query |= BESIDES  # alerts are told as alerts
    return await medicines_named(record, type_, query, 1000)


async def stopped(record: Record, reference: str) -> list[Tree]:
    """The treatments that ended last."""
    lists = await asyncio.gather(
        *(
            medicines_named(
                record,
                type_,
                {"patient": reference, "status": statuses, "_sort": f"-{date}", "_count": str(MOST_STOPPED)},
                2 * MOST_STOPPED,
            )
            for type_, (statuses, date) in STOPPED.items()
        )
    )
    return [tree for trees in lists for tree in trees]


async def medicines_named(record: Record, type_: str, query: dict[str, str], most: int) -> list[Tree]:
    """As `found`. A treatment that refers to a Medication says its name, as if the reference had carried it."""
    if type_ not in medicines.TYPES:
        return await found(record, type_, query, most)
    trees = await found(record, type_, {**query, "_include": f"{type_}:medication"}, most)
    return treatments.named([one for one in trees if one["resourceType"] == type_], trees, record.engine.base_url)


def _new(since: datetime | None, date: str, now: datetime) -> tuple[str, str]:
    """The parameter that tells what is new, and the prefix with its value, apart."""
    moment = (since or now - FIRST_LOOK).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return ("_lastUpdated", f"gt {moment}") if since else (date, f"ge {moment}")


def _later(since: datetime | None, date: str, now: datetime) -> dict[str, str]:
    name, when = _new(since, date, now)
    return {name: when.replace(" ", "")}
