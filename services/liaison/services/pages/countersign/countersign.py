"""What a supervisor's trainees wrote these last three months, and has not been countersigned since its last version.

A countersignature is a Provenance of the entry whose agent is a verifier: other software writes and reads the same.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access.roles import ROLES
from liaison.auth.caller import Caller
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import NotFound
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Key
from liaison.services.pages import clock
from liaison.services.pages.clinician.dossier import found, medicines_named
from liaison.services.pages.layout import render
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.reading.states import in_error
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]
AUTHORED: Final = {
    "DocumentReference": "author",
    "Observation": "performer",
    "Condition": "asserter",
    "MedicationRequest": "requester",
    "Communication": "sender",
    "QuestionnaireResponse": "author",
    "DiagnosticReport": "performer",
    "Procedure": "performer",
}
"""By type, the search parameter that names who wrote it."""
BACK: Final = timedelta(days=90)
VERIFIER: Final = {"system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "code": "verifier"}
_AT_ONCE: Final = 40
SUPERVISORS: Final = frozenset(code for code, role in ROLES.items() if role.category == "health")


@dataclass(frozen=True, slots=True)
class Line:
    """One entry that waits."""

    tree: Tree
    reference: str
    patient: str
    who: Identity | None


async def trainees(request: Request, caller: Caller) -> list[str]:
    """References of those who act, or acted these last months, as trainees of the caller; by person and by role."""
    house = request.app.state.house
    with faults.reported():
        rows = await house.database.reading.fetch(
            "select distinct practitioner, role from held_role where role_code = 'trainee' and acts_for = any($1::bigint[])"
            " and valid_to > now() - $2::interval",
            sorted({caller.role, caller.practitioner} - {0}),
            BACK,
        )
    store = house.engine.store
    named = [f"Practitioner/{store.id(Key(0, kind_of('Practitioner'), row['practitioner']))}" for row in rows]
    return named + [f"PractitionerRole/{store.id(Key(0, kind_of('PractitionerRole'), row['role']))}" for row in rows]


async def waiting(request: Request, record: Record) -> list[Tree]:
    """The entries, newest first; nothing for who supervises nobody."""
    named = await trainees(request, record.caller)
    if not named:
        return []
    since = (clock.now(request) - BACK).strftime("%Y-%m-%dT%H:%M:%SZ")
    lists = await asyncio.gather(
        *(
            medicines_named(
                record, type_, {author: ",".join(named), "_lastUpdated": f"ge{since}", "_count": "100"}, 200
            )
            for type_, author in AUTHORED.items()
        )
    )
    entries = [tree for trees in lists for tree in trees if not in_error(tree)]
    signed = await _signed(record, [f"{tree['resourceType']}/{tree['id']}" for tree in entries])
    left = [
        tree for tree in entries if signed.get(f"{tree['resourceType']}/{tree['id']}", _NEVER) < moments.written(tree)
    ]
    return sorted(left, key=moments.written, reverse=True)


_NEVER: Final = datetime.min.replace(tzinfo=UTC)


async def _signed(record: Record, references: list[str]) -> dict[str, datetime]:
    """When each was last countersigned."""
    known: dict[str, datetime] = {}
    for start in range(0, len(references), _AT_ONCE):
        asked = {"target": ",".join(references[start : start + _AT_ONCE]), "_count": "200"}
        for tree in await found(record, "Provenance", asked, 400):
            if _verifies(tree):
                for target in tree.get("target", []):
                    text = str(target.get("reference", "")).partition("/_history/")[0]
                    known[text] = max(known.get(text, _NEVER), moments.written(tree))
    return known


def _verifies(provenance: Tree) -> bool:
    return any(
        coding.get("code") == VERIFIER["code"]
        for agent in provenance.get("agent", [])
        for coding in (agent.get("type") or {}).get("coding", [])
    )


async def show(request: Request) -> Response:
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    lines, people = [], {}
    for tree in await waiting(request, record):
        subject = str((tree.get("subject") or {}).get("reference", ""))
        if subject not in people:
            people[subject] = await record.read(subject)
        patient = people[subject]
        reference = f"{tree['resourceType']}/{tree['id']}"
        lines.append(Line(tree, reference, subject.partition("/")[2], identity(patient) if patient else None))
    return render(request, "countersign/countersign.html", lines=lines)


async def sign(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    named = str((await request.form()).get("item", ""))
    if named not in {f"{tree['resourceType']}/{tree['id']}" for tree in await waiting(request, record)}:
        raise NotFound
    await record.create(
        {
            "resourceType": "Provenance",
            "target": [{"reference": named}],
            "recorded": clock.now(request).isoformat(timespec="seconds"),
            "agent": [{"type": {"coding": [VERIFIER]}, "who": {"reference": me.role_reference, "display": me.name}}],
        }
    )
    return RedirectResponse("/a-contresigner", status_code=303)
