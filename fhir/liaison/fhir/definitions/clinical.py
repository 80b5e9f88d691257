"""The main clinical date of each type: the element that orders a page of the record, first one present wins; of several
instants in it, the earliest.

It stands in clear in the store (docs/threat-model.md says what that shows). Patient, RelatedPerson and Person are left
out on purpose: none of their dates may stand in clear. Directory types have none.

A type whose paths are all looked at by one search parameter is sorted by it along an index (liaison.fhir.search.paths).
Observation is kept so, since it is the most numerous: one without an effective time has no main date.
"""

_EFFECTIVE = ("effectiveDateTime", "effectivePeriod")
_OCCURRENCE = ("occurrenceDateTime", "occurrencePeriod")
_TIMES = ("event", "repeat.boundsPeriod")
_OCCURRENCES = (*_OCCURRENCE, *(f"occurrenceTiming.{one}" for one in _TIMES))

_DATES: dict[str, tuple[str, ...]] = {
    "Account": ("servicePeriod",),
    "AdverseEvent": ("date", "detected", "recordedDate"),
    "AllergyIntolerance": ("recordedDate", "onsetDateTime", "onsetPeriod", "lastOccurrence"),
    "Appointment": ("start", "requestedPeriod", "created"),
    "AppointmentResponse": ("start",),
    "Basic": ("created",),
    "BiologicallyDerivedProduct": ("collection.collectedDateTime", "collection.collectedPeriod"),
    "Bundle": ("timestamp",),
    "CarePlan": ("period", "created"),
    "CareTeam": ("period",),
    "ChargeItem": (*_OCCURRENCES, "enteredDate"),
    "Claim": ("billablePeriod", "created"),
    "ClaimResponse": ("created",),
    "ClinicalImpression": (*_EFFECTIVE, "date"),
    "Communication": ("sent", "received"),
    "CommunicationRequest": (*_OCCURRENCE, "authoredOn"),
    "Composition": ("date",),
    "Condition": ("onsetDateTime", "onsetPeriod", "recordedDate"),
    "Consent": ("dateTime",),
    "Contract": ("applies", "issued"),
    "Coverage": ("period",),
    "CoverageEligibilityRequest": ("servicedDate", "servicedPeriod", "created"),
    "CoverageEligibilityResponse": ("servicedDate", "servicedPeriod", "created"),
    "DetectedIssue": ("identifiedDateTime", "identifiedPeriod"),
    "DeviceRequest": (*_OCCURRENCES, "authoredOn"),
    "DeviceUseStatement": ("timingDateTime", "timingPeriod", *(f"timingTiming.{one}" for one in _TIMES), "recordedOn"),
    "DiagnosticReport": (*_EFFECTIVE, "issued"),
    "DocumentManifest": ("created",),
    "DocumentReference": ("date", "context.period"),
    "Encounter": ("period",),
    "EnrollmentRequest": ("created",),
    "EnrollmentResponse": ("created",),
    "EpisodeOfCare": ("period",),
    "ExplanationOfBenefit": ("billablePeriod", "created"),
    "FamilyMemberHistory": ("date",),
    "Flag": ("period",),
    "Goal": ("startDate", "statusDate"),
    "GuidanceResponse": ("occurrenceDateTime",),
    "ImagingStudy": ("started",),
    "Immunization": ("occurrenceDateTime", "recorded"),
    "ImmunizationEvaluation": ("date",),
    "ImmunizationRecommendation": ("date",),
    "Invoice": ("date",),
    "List": ("date",),
    "MeasureReport": ("date", "period"),
    "Media": ("createdDateTime", "createdPeriod", "issued"),
    "MedicationAdministration": _EFFECTIVE,
    "MedicationDispense": ("whenHandedOver", "whenPrepared"),
    "MedicationRequest": ("authoredOn",),
    "MedicationStatement": (*_EFFECTIVE, "dateAsserted"),
    "NutritionOrder": ("dateTime",),
    "Observation": (*_EFFECTIVE, "effectiveInstant", *(f"effectiveTiming.{one}" for one in _TIMES)),
    "PaymentNotice": ("created",),
    "PaymentReconciliation": ("created",),
    "Procedure": ("performedDateTime", "performedPeriod"),
    "Provenance": ("occurredDateTime", "occurredPeriod", "recorded"),
    "QuestionnaireResponse": ("authored",),
    "RequestGroup": ("authoredOn",),
    "ResearchSubject": ("period",),
    "RiskAssessment": _OCCURRENCE,
    "Schedule": ("planningHorizon",),
    "ServiceRequest": (*_OCCURRENCES, "authoredOn"),
    "Slot": ("start",),
    "Specimen": ("collection.collectedDateTime", "collection.collectedPeriod", "receivedTime"),
    "SupplyDelivery": _OCCURRENCES,
    "SupplyRequest": (*_OCCURRENCES, "authoredOn"),
    "Task": ("executionPeriod", "restriction.period.end", "restriction.period", "authoredOn"),
    "VerificationResult": ("statusDate",),
    "VisionPrescription": ("dateWritten", "created"),
}


def clinical_paths(type_: str) -> tuple[str, ...]:
    """Element paths to try in order; a Period counts by its start, else its end. () when the type has none."""
    return _DATES.get(type_, ())
