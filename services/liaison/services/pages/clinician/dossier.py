"""One person's shared record on one page: À savoir, alerts, what changed since my last visit, plan, problems, treatment."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.access.classes import Class
from liaison.fhir.errors import NotFound
from liaison.services.pages.applications.opening import apps
from liaison.services.pages.clinician.alerts import alerts_of, told
from liaison.services.pages.clinician.last_visit import last_visit
from liaison.services.pages.clinician.place import Place, own_place
from liaison.services.pages.clinician.teams import members, teams_of
from liaison.services.pages.layout import render
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.concepts import label
from liaison.services.pages.reading.contact import contact
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reading.sentences import medicine
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.role_names import writes

Tree = dict[str, Any]

# What stands today, by the filter that says so (R4 gives Flag no search parameter for its status), and the parameter that
# says when it was written down. Years of what is over are not read for it, nor can they push it off a page.
_OVER: Final = "not (clinical-status eq resolved or clinical-status eq inactive or clinical-status eq remission)"
STANDING: Final = {
    "Flag": ("", "date"),
    "Condition": (_OVER, "recorded-date"),
    "AllergyIntolerance": (_OVER, "date"),
    "MedicationRequest": ("status eq active", "authoredon"),
    "MedicationStatement": ("status eq active", "effective"),
    "CarePlan": ("status eq active", "date"),
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
}
FIRST_LOOK: Final = timedelta(days=30)
"""How far back, by the date things happened, the page looks when someone opens a record for the first time."""
MOST_NEWS: Final = 40
STOPPED: Final = "stopped,completed,on-hold"
MOST_STOPPED: Final = 100
COMING: Final = frozenset({"proposed", "pending", "booked", "arrived", "checked-in"})


async def patient_or_404(record: Record, id_: str) -> Tree:
    """The Patient, or the one answer for absent and hidden."""
    patient = await record.read(f"Patient/{id_}")
    if patient is None:
        raise NotFound
    return patient


async def found(record: Record, type_: str, query: dict[str, str], most: int = 50) -> list[Tree]:
    """The matches, or nothing where the role's scope does not cover the type at all."""
    try:
        return await record.search(type_, query, most=most)
    except Refused as refused:
        if refused.answered == 403:
            return []
        raise


async def dossier(request: Request) -> Response:
    return await show(request, await own_place(request))


async def show(request: Request, place: Place) -> Response:
    house, record = request.app.state.house, place.record
    patient = await patient_or_404(record, place.id)
    reference = f"Patient/{place.id}"
    since = await last_visit(house.database.reading, house.vault, place.caller, reference)
    today = datetime.now(moments.PARIS).date()
    ahead = {"patient": reference, "date": f"ge{today.isoformat()}", "_sort": "date", "_count": "20"}
    alerts, planned, teams, news, ended, *standing = await asyncio.gather(
        alerts_of(record, reference),
        found(record, "Appointment", ahead, 20),
        teams_of(record, reference),
        growing(record, reference, since),
        stopped(record, reference),
        *(stands(record, reference, type_, since) for type_ in STANDING),
    )
    flags, problems, allergies, requested, stated, plans = standing
    treatments = [*current(requested), *current(stated)]
    opened = await apps(request) if place.urgent is None else []
    shown = news + [tree for trees in standing for tree in trees if is_new(tree, since)]
    return render(
        request,
        "clinician/dossier.html",
        form_targets=[app.origin for app in opened],
        apps=opened,
        place=place,
        patient=patient,
        who=identity(patient),
        today=today,
        planned=[one for one in planned if one.get("status") in COMING],
        since=since,
        changed=told_once(shown)[:MOST_NEWS],
        flags=current(flags),
        problems=[p for p in problems if active(p)],
        treatments=treatments,
        stopped=once_each(ended, treatments),
        contact=contact(patient),
        allergies=[a for a in allergies if active(a)],
        plans=current(plans),
        team=list(dict.fromkeys(member for team in teams for member in members(team))),
        alerts=[told(task) for task in alerts],
        may_answer=place.writes and writes(place.me.role_code, Class.ALERT),
    )


async def growing(record: Record, reference: str, since: datetime | None) -> list[Tree]:
    """What the record received since that moment; at a first look, what happened in the last weeks."""
    lists = await asyncio.gather(
        *(
            found(record, type_, {"patient": reference, **_later(since, date), "_count": "100"}, 100)
            for type_, date in GROWING.items()
        )
    )
    return [tree for trees in lists for tree in trees]


async def stands(record: Record, reference: str, type_: str, since: datetime | None) -> list[Tree]:
    """What stands of that type, and what is new since that moment though it no longer stands."""
    filter_, date = STANDING[type_]
    name, when = _new(since, date)
    query = {"patient": reference, "_count": "200"} | ({"_filter": f"{filter_} or {name} {when}"} if filter_ else {})
    return await _medicines_named(record, type_, query, 1000)


async def stopped(record: Record, reference: str) -> list[Tree]:
    """The treatments that ended last."""
    query = {"patient": reference, "status": STOPPED, "_sort": "-authoredon", "_count": str(MOST_STOPPED)}
    return await _medicines_named(record, "MedicationRequest", query, 2 * MOST_STOPPED)


async def _medicines_named(record: Record, type_: str, query: dict[str, str], most: int) -> list[Tree]:
    """The matches. A treatment that refers to a Medication says its name, as if the reference had carried it."""
    if not type_.startswith("Medication"):
        return await found(record, type_, query, most)
    trees = await found(record, type_, {**query, "_include": f"{type_}:medication"}, most)
    names = {f"Medication/{one['id']}": label(one.get("code")) for one in trees if one["resourceType"] == "Medication"}
    matches = [one for one in trees if one["resourceType"] == type_]
    for one in matches:
        reference = one.get("medicationReference") or {}
        if not reference.get("display") and (name := names.get(reference.get("reference", ""))):
            reference["display"] = name
    return matches


def once_each(ended: list[Tree], treatments: list[Tree]) -> list[Tree]:
    """Each medicine once, as it ended last; none that is taken still, under the same words."""
    seen = {medicine(one) for one in treatments}
    kept = []
    for tree in ended:
        if (name := medicine(tree)) not in seen or not name:
            seen.add(name)
            kept.append(tree)
    return kept


def _new(since: datetime | None, date: str) -> tuple[str, str]:
    """The parameter that tells what is new, and the prefix with its value, apart."""
    moment = (since or datetime.now(UTC) - FIRST_LOOK).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return ("_lastUpdated", f"gt {moment}") if since else (date, f"ge {moment}")


def _later(since: datetime | None, date: str) -> dict[str, str]:
    name, when = _new(since, date)
    return {name: when.replace(" ", "")}


def is_new(tree: Tree, since: datetime | None) -> bool:
    if since:
        return moments.written(tree) > since
    when = moments.happened(tree)
    return when is not None and when > datetime.now(UTC) - FIRST_LOOK


def told_once(trees: list[Tree]) -> list[Tree]:
    """Newest first. A home visit is one line: what was drawn from its form is left out where the form itself is seen."""
    forms = {f"QuestionnaireResponse/{t['id']}" for t in trees if t["resourceType"] == "QuestionnaireResponse"}
    visits = {
        t["encounter"]["reference"] for t in trees if t["resourceType"] == "QuestionnaireResponse" and "encounter" in t
    }

    def drawn(tree: Tree) -> bool:
        if tree["resourceType"] == "QuestionnaireResponse":
            return False
        if f"{tree['resourceType']}/{tree['id']}" in visits:
            return True
        sources = {source.get("reference") for source in tree.get("derivedFrom", ())}
        return bool(sources & forms) or tree.get("encounter", {}).get("reference") in visits

    kept = [tree for tree in trees if not drawn(tree)]
    return sorted(kept, key=lambda tree: moments.happened(tree) or moments.written(tree), reverse=True)


def current(trees: list[Tree]) -> list[Tree]:
    """Those in force; R4 gives Flag no search parameter for its status."""
    return [tree for tree in trees if tree.get("status") == "active"]


def active(tree: Tree) -> bool:
    """Whether a Condition or an AllergyIntolerance stands."""
    codings = tree.get("clinicalStatus", {}).get("coding", [])
    refuted = any(
        c.get("code") in ("refuted", "entered-in-error") for c in tree.get("verificationStatus", {}).get("coding", [])
    )
    return not refuted and not any(c.get("code") in ("resolved", "inactive", "remission") for c in codings)
