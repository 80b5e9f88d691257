"""What R4 says of search parameters of further types, for the time of these tests: the evaluator's own stay as they are."""

from ..reference.tables import ANYTHING, PARAMETERS, Parameter

_SUBJECT = {
    "patient": Parameter("reference", ("subject",), ("Patient",), "Patient"),
    "subject": Parameter("reference", ("subject",), ("Patient", "Group")),
}
_IDENTIFIER = {"identifier": Parameter("token", ("identifier",))}
_STATUS = {"status": Parameter("token", ("status",))}
_CATEGORY = {"category": Parameter("token", ("category",))}
_STAFF = ("Practitioner", "PractitionerRole")
_PEOPLE = (*_STAFF, "Organization", "Patient", "RelatedPerson")

_ANYTHING = (
    *ANYTHING.split(), "Appointment", "Communication", "Consent", "Flag", "List", "PractitionerRole", "RelatedPerson",
    "RiskAssessment", "ServiceRequest", "Task",
)  # fmt: skip

FURTHER: dict[str, dict[str, Parameter]] = {
    "AllergyIntolerance": {
        "patient": Parameter("reference", ("patient",), ("Patient",)),
        "clinical-status": Parameter("token", ("clinicalStatus",)),
        "date": Parameter("date", ("recordedDate",)),
    },
    "Appointment": {
        **_STATUS,
        "patient": Parameter("reference", ("participant.actor",), ("Patient",), "Patient"),
        "date": Parameter("date", ("start",)),
    },
    "CarePlan": {**_SUBJECT, **_STATUS, **_CATEGORY, "intent": Parameter("token", ("intent",)),
                 "condition": Parameter("reference", ("addresses",), ("Condition",))},
    "CareTeam": {**_SUBJECT, **_STATUS, **_CATEGORY, "participant": Parameter("reference", ("participant.member",), (*_PEOPLE, "CareTeam"))},
    "Communication": {
        **_SUBJECT, **_STATUS, **_CATEGORY,
        "sent": Parameter("date", ("sent",)),
        "sender": Parameter("reference", ("sender",), (*_PEOPLE, "Device", "HealthcareService")),
        "recipient": Parameter("reference", ("recipient",), (*_PEOPLE, "CareTeam", "Device", "Group", "HealthcareService")),
    },
    "Consent": {
        **_STATUS, **_CATEGORY,
        "patient": Parameter("reference", ("patient",), ("Patient",)),
        "scope": Parameter("token", ("scope",)),
    },
    "DocumentReference": {
        **_SUBJECT, **_STATUS,
        "type": Parameter("token", ("type",)),
        "date": Parameter("date", ("date",)),
        "author": Parameter("reference", ("author",), (*_PEOPLE, "Device")),
        "relatesto": Parameter("reference", ("relatesTo.target",), ("DocumentReference",)),
    },
    "Condition": {**PARAMETERS["Condition"], **_IDENTIFIER},
    "DiagnosticReport": {**PARAMETERS["DiagnosticReport"], "performer": Parameter("reference", ("performer",), (*_STAFF, "CareTeam", "Organization"))},
    "List": {
        **_SUBJECT, **_STATUS,
        "item": Parameter("reference", ("entry.item",), _ANYTHING),
        "source": Parameter("reference", ("source",), (*_STAFF, "Device", "Patient")),
    },
    "Observation": {
        **PARAMETERS["Observation"],
        **_IDENTIFIER,
        "device": Parameter("reference", ("device",), ("Device", "DeviceMetric")),
        "performer": Parameter("reference", ("performer",), (*_PEOPLE, "CareTeam")),
        "derived-from": Parameter("reference", ("derivedFrom",), ("Observation", "DocumentReference")),
    },
    "Practitioner": {
        **PARAMETERS["Practitioner"],
        "name": Parameter("string", tuple(f"name.{part}" for part in ("family", "given", "prefix", "suffix", "text"))),
    },
    "PractitionerRole": {
        "active": Parameter("token", ("active",)),
        "role": Parameter("token", ("code",)),
        "practitioner": Parameter("reference", ("practitioner",), ("Practitioner",)),
        "organization": Parameter("reference", ("organization",), ("Organization",)),
    },
    "RelatedPerson": {
        "patient": Parameter("reference", ("patient",), ("Patient",)),
        "name": Parameter("string", ("name.family", "name.given")),
    },
    "ServiceRequest": {
        **_SUBJECT, **_STATUS,
        "intent": Parameter("token", ("intent",)),
        "requester": Parameter("reference", ("requester",), (*_PEOPLE, "Device")),
    },
    "Task": {
        **_STATUS,
        "patient": Parameter("reference", ("for",), ("Patient",), "Patient"),
        "owner": Parameter("reference", ("owner",), (*_PEOPLE, "CareTeam", "Device", "HealthcareService")),
    },
}  # fmt: skip
