"""Whose a resource is: who wrote it, for which service, and to whom it is addressed. Relative references, or ''.

One of each at most: the columns of a version hold one token each. Where a resource names several, a structure is
preferred as addressee, and a professional as author.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from liaison.fhir.model.references import unversioned

_AUTHORS: Final[dict[str, tuple[str, ...]]] = {
    "AllergyIntolerance": ("recorder", "asserter"),
    "CarePlan": ("author",),
    "ClinicalImpression": ("assessor",),
    "Communication": ("sender",),
    "CommunicationRequest": ("sender", "requester"),
    "Composition": ("author",),
    "Condition": ("recorder", "asserter"),
    "Consent": ("performer",),
    "DetectedIssue": ("author",),
    "DeviceRequest": ("requester",),
    "DeviceUseStatement": ("source",),
    "DiagnosticReport": ("resultsInterpreter", "performer"),
    "DocumentManifest": ("author",),
    "DocumentReference": ("author",),
    "Encounter": ("participant.individual",),
    "Flag": ("author",),
    "Goal": ("expressedBy",),
    "Immunization": ("performer.actor",),
    "List": ("source",),
    "Media": ("operator",),
    "MedicationAdministration": ("performer.actor",),
    "MedicationDispense": ("performer.actor",),
    "MedicationRequest": ("requester", "recorder"),
    "MedicationStatement": ("informationSource",),
    "NutritionOrder": ("orderer",),
    "Observation": ("performer",),
    "Procedure": ("recorder", "performer.actor", "asserter"),
    "Provenance": ("agent.who",),
    "QuestionnaireResponse": ("author",),
    "RequestGroup": ("author",),
    "RiskAssessment": ("performer",),
    "ServiceRequest": ("requester",),
    "Specimen": ("collection.collector",),
    "Task": ("requester",),
}
AUTHORED_TYPES: Final = frozenset(_AUTHORS)
"""The types of what somebody writes, orders, does or observes."""
_ATTESTING: Final[dict[str, tuple[str, ...]]] = {
    "Composition": ("attester.party",),
    "DocumentReference": ("authenticator",),
}
_SERVICES: Final[dict[str, tuple[str, ...]]] = {
    "CarePlan": ("contributor",),
    "CareTeam": ("managingOrganization",),
    "Consent": ("organization",),
    "DiagnosticReport": ("performer",),
    "DocumentReference": ("custodian",),
    "Encounter": ("serviceProvider",),
    "EpisodeOfCare": ("managingOrganization",),
    "Observation": ("performer",),
    "Patient": ("managingOrganization",),
    "Procedure": ("performer.onBehalfOf",),
    "ServiceRequest": (),
}
_ADDRESSEES: Final[dict[str, tuple[str, ...]]] = {
    "Appointment": ("participant.actor",),
    "Communication": ("recipient",),
    "CommunicationRequest": ("recipient",),
    "ServiceRequest": ("performer",),
    "Task": ("owner",),
}
_STAFF: Final = ("Practitioner/", "PractitionerRole/")
_PEOPLE: Final = (*_STAFF, "RelatedPerson/", "Patient/")


def _at(node: object, steps: list[str]) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, list):
        for item in node:
            yield from _at(item, steps)
    elif isinstance(node, dict):
        if steps:
            yield from _at(node.get(steps[0]), steps[1:])
        else:
            yield node


def _named(tree: Mapping[str, Any], paths: tuple[str, ...]) -> list[str]:
    found = (
        node.get("reference") for path in paths if path.partition(".")[0] in tree for node in _at(tree, path.split("."))
    )
    return [unversioned(reference) for reference in found if isinstance(reference, str)]


def _first(references: list[str], *prefixes: str) -> str:
    return next((one for one in references if one.startswith(prefixes)), "")


def authors(tree: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(path, Reference) of each who is said to have done, written or attested it, literal or not."""
    type_ = tree["resourceType"]
    for path in (*_AUTHORS.get(type_, ()), *_ATTESTING.get(type_, ())):
        for node in _at(tree, path.split(".")):
            yield path, node


def signatories(tree: Mapping[str, Any]) -> list[str]:
    """Each who wrote it, and each structure for which, by whatever reference: to what stands in the resource too."""
    type_ = tree["resourceType"]
    return _named(tree, (*_AUTHORS.get(type_, ()), *_SERVICES.get(type_, ())))


def author_of(tree: Mapping[str, Any]) -> str:
    """The professional who wrote it, else the patient or relative, else ''."""
    named = _named(tree, _AUTHORS.get(tree["resourceType"], ()))
    return _first(named, *_STAFF) or _first(named, *_PEOPLE)


def service_of(tree: Mapping[str, Any], related: Mapping[str, Mapping[str, Any]]) -> str:
    """The structure it was written in: its own, its author's, or its encounter's."""
    own = _first(_named(tree, _SERVICES.get(tree["resourceType"], ())), "Organization/")
    if own:
        return own
    writer = related.get(author_of(tree))
    if writer is not None and (of_role := _first(_named(writer, ("organization",)), "Organization/")):
        return of_role
    encounter = related.get(_first(_named(tree, ("encounter", "context.encounter", "context")), "Encounter/"))
    return _first(_named(encounter, ("serviceProvider",)), "Organization/") if encounter is not None else ""


def addressee_of(tree: Mapping[str, Any]) -> str:
    """The structure it is addressed to, else the first person, else ''."""
    named = _named(tree, _ADDRESSEES.get(tree["resourceType"], ()))
    return _first(named, "Organization/") or _first(named, *_STAFF) or _first(named, "RelatedPerson/")
