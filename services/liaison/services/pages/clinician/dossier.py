"""One person's shared record on one page: À savoir, alerts, what changed since my last visit, plan, problems, treatment."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.fhir.errors import NotFound
from liaison.services.pages.clinician.alerts import alerts_of, told
from liaison.services.pages.clinician.last_visit import last_visit
from liaison.services.pages.layout import render
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]

# What "depuis votre dernier passage" looks through. What the caller may not see is simply not there.
CHANGING: Final = (
    "Observation",
    "Condition",
    "MedicationRequest",
    "AllergyIntolerance",
    "Encounter",
    "DocumentReference",
    "Communication",
    "QuestionnaireResponse",
    "CarePlan",
    "Flag",
    "Immunization",
    "DiagnosticReport",
)
FIRST_LOOK: Final = timedelta(days=30)
"""How far back the page looks when someone opens a record for the first time."""


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
    caller, me = await signed_in(request)
    house = request.app.state.house
    record = Record(house.engine, caller, address_of(request))
    id_ = request.path_params["id"]
    patient = await patient_or_404(record, id_)
    reference = f"Patient/{id_}"
    since = await last_visit(house.database.reading, house.vault, caller, reference)
    looking = since or datetime.now(UTC) - FIRST_LOOK

    async def of(type_: str, most: int = 50, **query: str) -> list[Tree]:
        return await found(record, type_, {owner_parameter(type_): reference, "_count": "50", **query}, most)

    changed, flags, problems, treatments, allergies, plans, teams, alerts = await asyncio.gather(
        changes(record, reference, looking),
        of("Flag", status="active"),
        of("Condition"),
        of("MedicationRequest", status="active"),
        of("AllergyIntolerance"),
        of("CarePlan", status="active"),
        of("CareTeam", status="active"),
        alerts_of(record, reference),
    )
    return render(
        request,
        "clinician/dossier.html",
        patient=patient,
        who=identity(patient),
        today=datetime.now(moments.PARIS).date(),
        since=since,
        changed=changed,
        flags=flags,
        problems=[p for p in problems if active(p)],
        treatments=treatments,
        allergies=allergies,
        plans=plans,
        team=[member for team in teams for member in members(team)],
        alerts=[told(task) for task in alerts],
        may_answer=me.role_code not in ("patient", "guardian"),
    )


async def changes(record: Record, reference: str, since: datetime) -> list[Tree]:
    """What the record received since that moment, newest first."""
    moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    lists = await asyncio.gather(
        *(
            found(record, type_, {owner_parameter(type_): reference, "_lastUpdated": f"gt{moment}", "_count": "50"})
            for type_ in CHANGING
        )
    )
    return sorted((tree for trees in lists for tree in trees), key=moments.written, reverse=True)[:60]


def owner_parameter(type_: str) -> str:
    return "patient"


def active(condition: Tree) -> bool:
    codings = condition.get("clinicalStatus", {}).get("coding", [])
    return not any(c.get("code") in ("resolved", "inactive", "remission") for c in codings)


def members(team: Tree) -> list[tuple[str, str]]:
    """(name, role) of those who take part now."""
    today = datetime.now(moments.PARIS).date().isoformat()
    lines = []
    for participant in team.get("participant", []):
        end = participant.get("period", {}).get("end", "")
        if end and end[:10] < today:
            continue
        roles = [r.get("text", "") for r in participant.get("role", []) if r.get("text")]
        lines.append((participant.get("member", {}).get("display", ""), ", ".join(roles)))
    return [line for line in lines if line[0]]
