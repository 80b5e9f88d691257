"""What R4 says of the parameters and codes that the reference evaluator knows: tables, written by hand."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """Its type, the elements it looks at, and for references the types it may point to."""

    type: str
    paths: tuple[str, ...]
    targets: tuple[str, ...] = ()
    only: str = ""  # a reference counts only when it points to this type


def _p(type_: str, *paths: str, targets: str = "", only: str = "") -> Parameter:
    return Parameter(type_, paths, tuple(targets.split()), only)


_PATIENT = {
    "patient": _p("reference", "subject", targets="Patient", only="Patient"),
    "subject": _p("reference", "subject", targets="Patient Group"),
}
_ENCOUNTER = {"encounter": _p("reference", "encounter", targets="Encounter")}
_PARTS = ("line", "city", "district", "state", "postalCode", "country", "text")
_ADDRESS = {
    "address": _p("string", *(f"address.{part}" for part in _PARTS)),
    "address-city": _p("string", "address.city"),
    "address-state": _p("string", "address.state"),
    "address-country": _p("string", "address.country"),
    "address-postalcode": _p("string", "address.postalCode"),
}
_BILLED = {
    "patient": _p("reference", "patient", targets="Patient"),
    "status": _p("token", "status"),
    "created": _p("date", "created"),
    "provider": _p("reference", "provider", targets="Practitioner Organization PractitionerRole"),
    "encounter": _p("reference", "item.encounter", targets="Encounter"),
    "facility": _p("reference", "facility", targets="Location"),
}

ANYTHING = (
    "Patient Observation Encounter Condition Procedure MedicationRequest Practitioner Organization DiagnosticReport"
    " DocumentReference Immunization AllergyIntolerance CarePlan CareTeam Claim ExplanationOfBenefit ImagingStudy"
    " Medication MedicationAdministration SupplyDelivery Device"
)

PARAMETERS: dict[str, dict[str, Parameter]] = {
    "Patient": {
        "family": _p("string", "name.family"),
        "given": _p("string", "name.given"),
        "name": _p("string", "name.family", "name.given", "name.prefix", "name.suffix", "name.text"),
        "birthdate": _p("date", "birthDate"),
        "death-date": _p("date", "deceasedDateTime"),
        "gender": _p("token", "gender"),
        "identifier": _p("token", "identifier"),
        "phone": _p("token", "telecom"),
        "telecom": _p("token", "telecom"),
        "language": _p("token", "communication.language"),
        "active": _p("token", "active"),
        "general-practitioner": _p(
            "reference", "generalPractitioner", targets="Practitioner Organization PractitionerRole"
        ),
        **_ADDRESS,
    },
    "Observation": {
        **_PATIENT,
        **_ENCOUNTER,
        "subject": _p("reference", "subject", targets="Group Device Patient Location"),
        "code": _p("token", "code"),
        "category": _p("token", "category"),
        "status": _p("token", "status"),
        "value-concept": _p("token", "valueCodeableConcept"),
        "component-code": _p("token", "component.code"),
        "date": _p("date", "effectiveDateTime", "effectivePeriod", "effectiveInstant"),
        "value-quantity": _p("quantity", "valueQuantity", "valueSampledData"),
        "component-value-quantity": _p("quantity", "component.valueQuantity", "component.valueSampledData"),
        "combo-value-quantity": _p(
            "quantity",
            "valueQuantity",
            "valueSampledData",
            "component.valueQuantity",
            "component.valueSampledData",
        ),
        "identifier": _p("token", "identifier"),
        "has-member": _p("reference", "hasMember", targets="Observation MolecularSequence QuestionnaireResponse"),
        "performer": _p(
            "reference",
            "performer",
            targets="Practitioner Organization CareTeam Patient PractitionerRole RelatedPerson",
        ),
        "value-string": _p("string", "valueString", "valueCodeableConcept.text"),
    },
    "Encounter": {
        **_PATIENT,
        "class": _p("token", "class"),
        "type": _p("token", "type"),
        "status": _p("token", "status"),
        "date": _p("date", "period"),
        "participant": _p("reference", "participant.individual", targets="Practitioner PractitionerRole RelatedPerson"),
        "service-provider": _p("reference", "serviceProvider", targets="Organization"),
        "reason-code": _p("token", "reasonCode"),
        "location": _p("reference", "location.location", targets="Location"),
        "identifier": _p("token", "identifier"),
    },
    "Condition": {
        **_PATIENT,
        **_ENCOUNTER,
        "code": _p("token", "code"),
        "clinical-status": _p("token", "clinicalStatus"),
        "verification-status": _p("token", "verificationStatus"),
        "category": _p("token", "category"),
        "identifier": _p("token", "identifier"),
        "onset-age": _p("quantity", "onsetAge"),
        "onset-date": _p("date", "onsetDateTime", "onsetPeriod"),
        "abatement-date": _p("date", "abatementDateTime", "abatementPeriod"),
        "recorded-date": _p("date", "recordedDate"),
    },
    "Procedure": {
        **_PATIENT,
        **_ENCOUNTER,
        "code": _p("token", "code"),
        "status": _p("token", "status"),
        "date": _p("date", "performedDateTime", "performedPeriod"),
        "reason-reference": _p("reference", "reasonReference", targets="Condition Observation"),
    },
    "MedicationRequest": {
        **_PATIENT,
        **_ENCOUNTER,
        "code": _p("token", "medicationCodeableConcept"),
        "medication": _p("reference", "medicationReference", targets="Medication"),
        "status": _p("token", "status"),
        "intent": _p("token", "intent"),
        "authoredon": _p("date", "authoredOn"),
        "requester": _p(
            "reference",
            "requester",
            targets="Practitioner Organization Device Patient PractitionerRole RelatedPerson",
        ),
    },
    "Medication": {
        "code": _p("token", "code"),
        "status": _p("token", "status"),
        "ingredient-code": _p("token", "ingredient.itemCodeableConcept"),
        "expiration-date": _p("date", "batch.expirationDate"),
        "manufacturer": _p("reference", "manufacturer", targets="Organization"),
    },
    "QuestionnaireResponse": {
        "patient": _PATIENT["patient"],
        "status": _p("token", "status"),
        "authored": _p("date", "authored"),
        "questionnaire": _p("reference", "questionnaire", targets="Questionnaire"),
    },
    "Questionnaire": {
        "title": _p("string", "title"),
        "status": _p("token", "status"),
        "version": _p("token", "version"),
    },
    "Practitioner": {
        "family": _p("string", "name.family"),
        "given": _p("string", "name.given"),
        "identifier": _p("token", "identifier"),
        "name": _p("string", "name.family", "name.given", "name.prefix", "name.suffix", "name.text"),
        "gender": _p("token", "gender"),
        "email": _p("token", "telecom"),
        "active": _p("token", "active"),
        **_ADDRESS,
    },
    "PractitionerRole": {
        "practitioner": _p("reference", "practitioner", targets="Practitioner"),
        "organization": _p("reference", "organization", targets="Organization"),
        "location": _p("reference", "location", targets="Location"),
        "role": _p("token", "code"),
        "specialty": _p("token", "specialty"),
        "email": _p("token", "telecom"),
        "active": _p("token", "active"),
    },
    "Organization": {
        "name": _p("string", "name", "alias"),
        "active": _p("token", "active"),
        **_ADDRESS,
        "identifier": _p("token", "identifier"),
        "type": _p("token", "type"),
    },
    "Location": {"name": _p("string", "name", "alias"), **_ADDRESS},
    "DiagnosticReport": {
        **_PATIENT,
        **_ENCOUNTER,
        "subject": _p("reference", "subject", targets="Group Device Patient Location"),
        "code": _p("token", "code"),
        "category": _p("token", "category"),
        "status": _p("token", "status"),
        "date": _p("date", "effectiveDateTime", "effectivePeriod"),
        "issued": _p("date", "issued"),
        "performer": _p("reference", "performer", targets="Practitioner Organization CareTeam PractitionerRole"),
        "result": _p("reference", "result", targets="Observation"),
    },
    "DocumentReference": {
        **_PATIENT,
        "subject": _p("reference", "subject", targets="Practitioner Group Device Patient"),
        "encounter": _p("reference", "context.encounter", targets="EpisodeOfCare Encounter"),
        "type": _p("token", "type"),
        "category": _p("token", "category"),
        "status": _p("token", "status"),
        "identifier": _p("token", "masterIdentifier", "identifier"),
        "date": _p("date", "date"),
        "period": _p("date", "context.period"),
        "author": _p(
            "reference", "author", targets="Practitioner Organization Device Patient PractitionerRole RelatedPerson"
        ),
        "custodian": _p("reference", "custodian", targets="Organization"),
        "contenttype": _p("token", "content.attachment.contentType"),
        "format": _p("token", "content.format"),
    },
    "Immunization": {
        "patient": _p("reference", "patient", targets="Patient"),
        "status": _p("token", "status"),
        "vaccine-code": _p("token", "vaccineCode"),
        "date": _p("date", "occurrenceDateTime"),
        "location": _p("reference", "location", targets="Location"),
    },
    "AllergyIntolerance": {
        "patient": _p("reference", "patient", targets="Patient"),
        "code": _p("token", "code", "reaction.substance"),
        "clinical-status": _p("token", "clinicalStatus"),
        "verification-status": _p("token", "verificationStatus"),
        "type": _p("token", "type"),
        "category": _p("token", "category"),
        "criticality": _p("token", "criticality"),
        "date": _p("date", "recordedDate"),
    },
    "CarePlan": {
        **_PATIENT,
        **_ENCOUNTER,
        "category": _p("token", "category"),
        "status": _p("token", "status"),
        "intent": _p("token", "intent"),
        "date": _p("date", "period"),
        "care-team": _p("reference", "careTeam", targets="CareTeam"),
        "condition": _p("reference", "addresses", targets="Condition"),
        "activity-code": _p("token", "activity.detail.code"),
    },
    "CareTeam": {
        **_PATIENT,
        **_ENCOUNTER,
        "status": _p("token", "status"),
        "date": _p("date", "period"),
        "participant": _p(
            "reference",
            "participant.member",
            targets="Practitioner Organization CareTeam Patient PractitionerRole RelatedPerson",
        ),
    },
    "Claim": {**_BILLED, "use": _p("token", "use"), "priority": _p("token", "priority")},
    "ExplanationOfBenefit": {
        **_BILLED,
        "identifier": _p("token", "identifier"),
        "claim": _p("reference", "claim", targets="Claim"),
        "care-team": _p("reference", "careTeam.provider", targets="Practitioner Organization PractitionerRole"),
    },
    "ImagingStudy": {
        **_PATIENT,
        **_ENCOUNTER,
        "subject": _p("reference", "subject", targets="Group Device Patient"),
        "identifier": _p("token", "identifier"),
        "status": _p("token", "status"),
        "started": _p("date", "started"),
        "modality": _p("token", "series.modality"),
        "bodysite": _p("token", "series.bodySite"),
        "series": _p("token", "series.uid"),
        "instance": _p("token", "series.instance.uid"),
        "dicom-class": _p("token", "series.instance.sopClass"),
    },
    "MedicationAdministration": {
        **_PATIENT,
        "code": _p("token", "medicationCodeableConcept"),
        "status": _p("token", "status"),
        "effective-time": _p("date", "effectiveDateTime", "effectivePeriod"),
        "context": _p("reference", "context", targets="EpisodeOfCare Encounter"),
    },
    "SupplyDelivery": {"patient": _p("reference", "patient", targets="Patient"), "status": _p("token", "status")},
    "Provenance": {
        "patient": _p("reference", "target", targets="Patient", only="Patient"),
        "target": _p("reference", "target", targets=ANYTHING),
        "agent": _p(
            "reference",
            "agent.who",
            targets="Practitioner Organization Device Patient PractitionerRole RelatedPerson",
        ),
        "recorded": _p("date", "recorded"),
    },
    "Device": {
        "patient": _p("reference", "patient", targets="Patient"),
        "type": _p("token", "type"),
        "status": _p("token", "status"),
        "device-name": _p("string", "deviceName.name", "type.coding.display", "type.text"),
        "udi-di": _p("string", "udiCarrier.deviceIdentifier"),
    },
    "RiskAssessment": {
        **_PATIENT,
        **_ENCOUNTER,
        "date": _p("date", "occurrenceDateTime"),  # `occurrence as dateTime`: no period
        "probability": _p("number", "prediction.probabilityDecimal"),
        "risk": _p("token", "prediction.qualitativeRisk"),
    },
    "CodeSystem": {"url": _p("uri", "url"), "status": _p("token", "status")},
    "ValueSet": {"url": _p("uri", "url"), "status": _p("token", "status")},
}
for _known in PARAMETERS.values():
    _known |= {
        "_profile": _p("uri", "meta.profile"),
        "_tag": _p("token", "meta.tag"),
        "_source": _p("uri", "meta.source"),
    }
# Parameters that meanings.py knows.
BEYOND: dict[str, frozenset[str]] = {
    "Encounter": frozenset({"part-of"}),
    "Location": frozenset({"near", "organization", "partof"}),
    "Organization": frozenset({"partof"}),
    "Observation": frozenset(
        {
            "code-value-quantity",
            "code-value-concept",
            "component-code-value-quantity",
            "component-code-value-concept",
            "combo-code-value-quantity",
            "combo-code-value-concept",
        }
    ),
}
CONTACTS = {"phone": "phone", "email": "email"}

# The code system to which a bare code of an element belongs, from the pages of R4's value sets.
CODE_SYSTEMS = {
    ("Patient", "gender"): "http://hl7.org/fhir/administrative-gender",
    ("Observation", "status"): "http://hl7.org/fhir/observation-status",
    ("Encounter", "status"): "http://hl7.org/fhir/encounter-status",
    ("Procedure", "status"): "http://hl7.org/fhir/event-status",
    ("MedicationRequest", "status"): "http://hl7.org/fhir/CodeSystem/medicationrequest-status",
    ("Questionnaire", "status"): "http://hl7.org/fhir/publication-status",
    ("QuestionnaireResponse", "status"): "http://hl7.org/fhir/questionnaire-answers-status",
    ("Medication", "status"): "http://hl7.org/fhir/CodeSystem/medication-status",
    ("MedicationRequest", "intent"): "http://hl7.org/fhir/CodeSystem/medicationrequest-intent",
    ("Practitioner", "gender"): "http://hl7.org/fhir/administrative-gender",
    ("DiagnosticReport", "status"): "http://hl7.org/fhir/diagnostic-report-status",
    ("DocumentReference", "status"): "http://hl7.org/fhir/document-reference-status",
    ("Immunization", "status"): "http://hl7.org/fhir/event-status",
    ("AllergyIntolerance", "type"): "http://hl7.org/fhir/allergy-intolerance-type",
    ("AllergyIntolerance", "category"): "http://hl7.org/fhir/allergy-intolerance-category",
    ("AllergyIntolerance", "criticality"): "http://hl7.org/fhir/allergy-intolerance-criticality",
    ("CarePlan", "status"): "http://hl7.org/fhir/request-status",
    ("CarePlan", "intent"): "http://hl7.org/fhir/request-intent",
    ("CareTeam", "status"): "http://hl7.org/fhir/care-team-status",
    ("Claim", "status"): "http://hl7.org/fhir/fm-status",
    ("Claim", "use"): "http://hl7.org/fhir/claim-use",
    ("ExplanationOfBenefit", "status"): "http://hl7.org/fhir/explanationofbenefit-status",
    ("ImagingStudy", "status"): "http://hl7.org/fhir/imagingstudy-status",
    ("MedicationAdministration", "status"): "http://terminology.hl7.org/CodeSystem/medication-admin-status",
    ("SupplyDelivery", "status"): "http://hl7.org/fhir/supplydelivery-status",
    ("Device", "status"): "http://hl7.org/fhir/device-status",
    ("CodeSystem", "status"): "http://hl7.org/fhir/publication-status",
    ("ValueSet", "status"): "http://hl7.org/fhir/publication-status",
}

# Elements whose tokens have no system, so that no bar may be written.
WITHOUT_SYSTEM = frozenset({"phone", "email", "telecom", "active", "contenttype", "series", "instance", "version"})
