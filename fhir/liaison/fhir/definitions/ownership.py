"""To whom a resource belongs: exactly one patient, or the directory. One path per type; nothing is visible by default.

The path is the one that says *whose record it is*: the subject, the patient, the beneficiary, `for`. Never a focus, an
author or a recipient: that someone is mentioned in a record does not make it theirs. The table covers every type that
is not in DIRECTORY_TYPES, and tests/fhir/definitions/test_ownership.py holds it against HL7's patient compartment.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from liaison.fhir.definitions.types import DIRECTORY_TYPES, RESOURCE_TYPES

Rule = Literal["self", "patient", "directory", "by reference", "never"]
Otherwise = Literal["refuse", "directory", "by reference"]


@dataclass(frozen=True, slots=True)
class Ownership:
    """How the owner of a resource of one type is found.

    * `self`: a Patient is its own record.
    * `patient`: the references at `path` name the owner. They must lead to exactly one patient: with `through` a
      reference to any resource that has an owner leads to that owner (a Provenance belongs with its target), without
      it only a reference to a Patient counts. When none leads to a patient, `otherwise` says what happens.
    * `directory`: no patient; one copy for the territory.
    * `by reference`: the owner is that of the resource which refers to it, in the same transaction or already stored.
    * `never`: not stored on request at all, for `reason`.

    `otherwise`: `refuse` is a 422 that names the rule; `directory` and `by reference` as above.
    """

    rule: Rule
    parameter: str = ""  # code of the search parameter for `path`, '' when R4 defines none
    path: str = ""
    through: bool = False
    otherwise: Otherwise = "refuse"
    reason: str = ""
    entries: str = ""  # of a Bundle: the element by which its entries, of whatever type, name the owner

    @property
    def named_at(self) -> str:
        """Where a resource of this type may name its owner; '' for one that does not."""
        return f"entry.resource.{self.entries}" if self.entries else self.path

    def references(self, tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The Reference elements that may name the owner of this resource, in order."""
        if self.named_at:
            yield from _at(tree, self.named_at.split("."))


def _at(node: Any, steps: list[str]) -> Iterator[dict[str, Any]]:
    if isinstance(node, list):
        for item in node:
            yield from _at(item, steps)
    elif isinstance(node, dict):
        if not steps:
            yield node
        elif (child := node.get(steps[0])) is not None:
            yield from _at(child, steps[1:])


def _patient(parameter: str, path: str = "", **more: Any) -> Ownership:
    return Ownership("patient", parameter, path or parameter, **more)


_SUBJECT = _patient("subject")
_SUBJECT_AS_PATIENT = _patient("patient", "subject")
_PATIENT = _patient("patient")
_THROUGH_SUBJECT = _patient("subject", through=True)

_BY_REFERENCE = Ownership(
    "by reference", reason="A resource of this type belongs to the patient of the resource that refers to it."
)


def _each(owner: Ownership, names: str) -> dict[str, Ownership]:
    return dict.fromkeys(names.split(), owner)


_OWNERS: dict[str, Ownership] = {
    "Patient": Ownership("self"),
    # -- the element names the patient
    **_each(
        _PATIENT,
        (
            "AllergyIntolerance BodyStructure Claim ClaimResponse Consent CoverageEligibilityRequest "
            "CoverageEligibilityResponse DetectedIssue EpisodeOfCare ExplanationOfBenefit FamilyMemberHistory "
            "Immunization ImmunizationEvaluation ImmunizationRecommendation MolecularSequence NutritionOrder "
            "RelatedPerson SupplyDelivery VisionPrescription"
        ),
    ),
    **_each(
        _SUBJECT,
        (
            "Account AdverseEvent CarePlan CareTeam ChargeItem ClinicalImpression Communication CommunicationRequest "
            "Condition DeviceRequest DeviceUseStatement DiagnosticReport DocumentManifest DocumentReference Encounter "
            "Goal ImagingStudy Invoice MeasureReport Media MedicationAdministration MedicationDispense "
            "MedicationRequest MedicationStatement Observation Procedure RequestGroup RiskAssessment ServiceRequest "
            "Specimen"
        ),
    ),
    # Flag.subject and GuidanceResponse.subject may be many things; R4's own parameter for the patient is `patient`.
    "Flag": _SUBJECT_AS_PATIENT,
    "GuidanceResponse": _SUBJECT_AS_PATIENT,
    "Coverage": _patient("beneficiary"),
    "EnrollmentRequest": _patient("patient", "candidate"),
    "ResearchSubject": _patient("patient", "individual"),
    "SupplyRequest": _patient("subject", "deliverTo"),
    "Task": _patient("patient", "for"),
    "Appointment": _patient("patient", "participant.actor"),
    "Group": _patient("member", "member.entity"),
    # -- the element may also name a resource that belongs to the patient
    "Basic": _patient("patient", "subject", through=True),
    "Contract": _THROUGH_SUBJECT,
    "Composition": _THROUGH_SUBJECT,
    "List": _THROUGH_SUBJECT,
    "QuestionnaireResponse": _THROUGH_SUBJECT,
    "AppointmentResponse": _patient("appointment", through=True),
    "EnrollmentResponse": _patient("request", through=True),
    "Linkage": _patient("item", "item.resource", through=True),
    "PaymentNotice": _patient("request", through=True),
    "PaymentReconciliation": _patient("request", through=True),
    "Person": _patient("link", "link.target", through=True),
    "Provenance": _patient("target", through=True),
    "VerificationResult": _patient("target", through=True),
    # -- of a patient, or else of the directory
    "Schedule": _patient("actor", otherwise="directory"),
    "Slot": _patient("schedule", through=True, otherwise="directory"),
    # -- of a patient, or else of the resource that refers to it
    "BiologicallyDerivedProduct": _patient("", "collection.source", otherwise="by reference"),
    "Binary": _patient("", "securityContext", through=True, otherwise="by reference"),
    "Device": _patient("patient", otherwise="by reference"),
    "DeviceMetric": _patient("source", through=True, otherwise="by reference"),
    "MessageHeader": _patient("focus", through=True, otherwise="by reference"),
    # -- of the resource that refers to it, only
    "Bundle": Ownership(
        "by reference",
        entries="subject",
        otherwise="by reference",
        reason="A document belongs to the patient here whom its Composition, and all of its entries, name as their subject.",
    ),
    "Medication": _BY_REFERENCE,
    "OperationOutcome": _BY_REFERENCE,
    "Subscription": _BY_REFERENCE,
    "Substance": _BY_REFERENCE,
    # -- not stored on request
    "AuditEvent": Ownership(
        "never",
        reason="AuditEvents are read from the access journal, which records what this service itself did; "
        "nobody writes to it from outside.",
    ),
    "Parameters": Ownership("never", reason="R4 gives Parameters no endpoint: it carries the input of an operation."),
}
_DIRECTORY = Ownership("directory")


@cache
def ownership(type_: str) -> Ownership:
    """The rule of one type. KeyError for what is not an R4 type."""
    owner = _OWNERS.get(type_)
    if owner is None:
        if type_ not in DIRECTORY_TYPES or type_ not in RESOURCE_TYPES:
            raise KeyError(type_)
        return _DIRECTORY
    return owner
