"""What a supervisor's trainees wrote these last three months, whomever it names, and has not been countersigned since its
last version.

A countersignature is a Provenance of the entry whose agent is a verifier: other software writes and reads the same.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access.roles import ROLES
from liaison.auth.access.signing import VERIFIER, verifiers
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import NotFound
from liaison.fhir.store.contract import Key
from liaison.services.pages import clock
from liaison.services.pages.clinician.dossier import found, medicines_named
from liaison.services.pages.countersign.written import ENTRIES, trainees, written_by
from liaison.services.pages.layout import render
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.reading.states import in_error
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]
BACK: Final = timedelta(days=90)
_AT_ONCE: Final = 40
SUPERVISORS: Final = frozenset(code for code, role in ROLES.items() if role.category == "health")


@dataclass(frozen=True, slots=True)
class Line:
    """One entry that waits."""

    tree: Tree
    reference: str
    patient: str
    who: Identity | None


async def waiting(request: Request, record: Record) -> list[Tree]:
    """The entries, newest first; nothing for who supervises nobody. What a trainee changed of somebody else's is there too, by
    the Provenance of that amendment (auth.access.amendment)."""
    people = await trainees(request, record.caller, BACK)
    if not people:
        return []
    written = await written_by(request, record.caller, people, BACK)
    amendments = await _read(record, [one for one in written if one.startswith("Provenance/")])
    amended = [one for tree in amendments for one in _targets(tree) if one.partition("/")[0] in ENTRIES]
    wanted = dict.fromkeys([*(one for one in written if one.partition("/")[0] in ENTRIES), *amended])
    entries = [tree for tree in await _read(record, list(wanted)) if not in_error(tree)]
    mine = _references(record)
    signed = await _signed(record, [f"{tree['resourceType']}/{tree['id']}" for tree in entries], set(written), mine)
    left = [
        tree for tree in entries if signed.get(f"{tree['resourceType']}/{tree['id']}", _NEVER) < moments.written(tree)
    ]
    return sorted(left, key=moments.written, reverse=True)


async def _read(record: Record, references: list[str]) -> list[Tree]:
    """Those that the caller may read, treatments with the name of their medicine."""
    named: dict[str, list[str]] = {}
    for reference in references:
        type_, _, id_ = reference.partition("/")
        named.setdefault(type_, []).append(id_)
    found: list[Tree] = []
    for type_, ids in named.items():
        for start in range(0, len(ids), _AT_ONCE):
            asked = {"_id": ",".join(ids[start : start + _AT_ONCE]), "_count": str(_AT_ONCE)}
            found += await medicines_named(record, type_, asked, 2 * _AT_ONCE)
    return found


_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def _references(record: Record) -> set[str]:
    """How the supervisor is named: as a person, and in the role that they act in."""
    caller, name = record.caller, record.engine.store.reference
    people = (("Practitioner", caller.practitioner), ("PractitionerRole", caller.role))
    return {name(Key(0, kind_of(type_), res)) for type_, res in people if res}


async def _signed(record: Record, references: list[str], written: set[str], mine: set[str]) -> dict[str, datetime]:
    """When each was last countersigned by the supervisor; what a trainee wrote of it counts for nothing."""
    known: dict[str, datetime] = {}
    for start in range(0, len(references), _AT_ONCE):
        asked = {"target": ",".join(references[start : start + _AT_ONCE]), "_count": "200"}
        for tree in await found(record, "Provenance", asked, 400):
            if mine.intersection(verifiers(tree)) and f"Provenance/{tree['id']}" not in written:
                for text in _targets(tree):
                    known[text] = max(known.get(text, _NEVER), moments.written(tree))
    return known


def _targets(provenance: Tree) -> list[str]:
    return [str(one.get("reference", "")).partition("/_history/")[0] for one in provenance.get("target", [])]


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
