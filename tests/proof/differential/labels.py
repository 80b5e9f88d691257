"""What an entry is and whose: its classes, author, service and addressee, read from the entry itself.

Written from docs/rights.md for the entries that worlds.py makes and asking.py writes, by the words of law.py.
"""

from collections.abc import Iterator
from typing import Any

from ..reference.elements import at
from . import law
from .facts import Tree, codes, reference
from .rights import PERSONS, Held, Version, World

AUTHORS = {
    "Observation": "performer", "Condition": "recorder", "AllergyIntolerance": "recorder", "CarePlan": "author",
    "MedicationRequest": "requester", "Communication": "sender", "DocumentReference": "author", "Flag": "author",
    "Task": "requester", "Encounter": "participant.individual", "ServiceRequest": "requester", "Consent": "performer",
    "DiagnosticReport": "performer", "RiskAssessment": "performer", "List": "source",
}  # fmt: skip
SERVICES = {
    "Observation": "performer", "DiagnosticReport": "performer", "DocumentReference": "custodian", "Encounter": "serviceProvider",
    "Consent": "organization",
}  # fmt: skip
ADDRESSEES = {
    "Communication": "recipient", "Task": "owner", "ServiceRequest": "performer", "Appointment": "participant.actor",
}  # fmt: skip
STAFF = ("Practitioner/", "PractitionerRole/")


def _named(tree: Tree, paths: dict[str, str], *prefixes: str) -> str:
    found = at(tree, paths.get(tree["resourceType"], "none"))
    return next((reference(one) for one in found if reference(one).startswith(prefixes)), "")


def classes_of(tree: Tree) -> frozenset[str]:
    """Those of the entry, and of each that it contains as if that were written alone; and what any code in it says."""
    inner = [one for one in tree.get("contained", ()) if one["resourceType"] not in law.NO_CONTENT]
    said = {law.BESIDES[code] for code in _said(tree) if code in law.BESIDES}
    return frozenset(said).union(_alone(tree), *map(classes_of, inner))


def _said(node: Any) -> Iterator[str]:
    """The code of every Coding, at whatever depth."""
    if isinstance(node, list):
        for one in node:
            yield from _said(one)
    elif isinstance(node, dict):
        if {"system", "code"} <= node.keys():
            yield str(node["code"])
        for one in node.values():
            yield from _said(one)


def _alone(tree: Tree) -> frozenset[str]:
    type_ = tree["resourceType"]
    found = {law.OF_TYPE.get(type_, "CLIN")}
    if type_ in law.FIXED:
        # A Consent that masks an item tells of it.
        return frozenset(found | ({"MASKED"} if tree.get("provision", {}).get("data") else set()))
    if type_ == "Task" and any(one.get("system", "").endswith("/review") for one in _codings(tree)):
        return frozenset({"AUD"})  # of the review list, whatever else stands beside
    marks = [*codes(tree), *(["note"] if _is_note(tree) else [])]
    found = next(({law.BY_CODE[type_, mark]} for mark in marks if (type_, mark) in law.BY_CODE), found)
    if type_ in ("Task", "Flag") and any(one.get("system", "").endswith("/alert-level") for one in _codings(tree)):
        found = {"ALERT"} if tree["status"] in law.OPEN_ALERT[type_] else {"COORD"}
    added = set()
    for label in tree.get("meta", {}).get("security", ()):
        if label["code"].upper() in law.LABELS_ADD:
            added.add(label["code"].upper())
        elif found != {"PROT"}:
            found = {label["code"].upper()}
    return frozenset(found | added)


def _codings(tree: Tree) -> Iterator[Any]:
    for path in ("category", "code", "type"):
        for concept in at(tree, path):
            yield from concept.get("coding", ())


def _is_note(tree: Tree) -> bool:
    return any("TypeNote" in one.get("system", "") for one in _codings(tree))


def version_of(world: World, tree: Tree, patient: str, by: Held | None, before: Version | None) -> Version:
    """A new version as it will be kept: an author and a service that it does not name are the writer's, or those of the
    version before. Whoever was the author remains so, unless they name another themselves. A trainee is the author of what
    they write, and nobody's author changes by their hand."""
    type_ = tree["resourceType"]
    ref = f"{type_}/{tree['id']}" if "id" in tree else ""
    if not patient:
        return Version(ref, tree, "", frozenset(), "", "", "", number=before.number + 1 if before else 1)
    written = _named(tree, AUTHORS, *STAFF) or _named(tree, AUTHORS, "Patient/", "RelatedPerson/")
    service = _named(tree, SERVICES, "Organization/")
    if not service and written.startswith("PractitionerRole/"):
        service = reference(world.versions[written][-1].tree.get("organization"))
    if before is None and by is not None:
        own = "" if by.software else by.person
        written = own if by.code == law.COUNTERSIGNED else written
        if not service and (not own or written in ("", own, by.ref)):
            service = by.organization
        written = written or own
    addressee = _named(tree, ADDRESSEES, "Organization/") or _named(tree, ADDRESSEES, *STAFF)
    author = _person(world, written)
    if (
        before is not None
        and by is not None
        and (by.code == law.COUNTERSIGNED or by.software or by.person != before.author)
    ):
        author = ""
    if before is not None:
        author, service = author or before.author, service or before.service
    to = _person(world, addressee or _named(tree, ADDRESSEES, "RelatedPerson/"))
    return Version(ref, tree, patient, classes_of(tree), author, service, to, number=before.number + 1 if before else 1)


def signs_for_another(tree: Tree, held: Held) -> bool:
    """Whether a person of the record names somebody else as who wrote it."""
    named = [reference(one) for one in at(tree, AUTHORS.get(tree["resourceType"], "none"))]
    return held.code in PERSONS and any(one != held.person for one in named)


def _person(world: World, ref: str) -> str:
    """A role stands for the person who holds it."""
    if ref.startswith("PractitionerRole/"):
        return reference(world.versions[ref][-1].tree["practitioner"])
    return ref


def patient_of(tree: Tree) -> str:
    """Whose record it is of; '' for the directory."""
    type_ = tree["resourceType"]
    if type_ == "Patient":
        return f"Patient/{tree['id']}"
    paths = ("subject", "patient", "for", "beneficiary", "participant.actor")
    found = (reference(one) for path in paths for one in at(tree, path))
    return next((ref for ref in found if ref.startswith("Patient/")), "")
