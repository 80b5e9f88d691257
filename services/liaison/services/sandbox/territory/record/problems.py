"""Conditions, treatments, allergies and vaccines."""

from datetime import date

from liaison.services.sandbox.territory import systems
from liaison.services.sandbox.territory.record.catalogue import ALLERGIES, PROBLEMS, VACCINES, Drug
from liaison.services.sandbox.territory.record.record import Record
from liaison.services.sandbox.territory.shapes import Tree, coded, coding, concept, moment, ref, without_empty

_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/condition-category"
_ALLERGY_CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
_ALLERGY_VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"


def condition(
    record: Record,
    code: str,
    display: str,
    since: date,
    by: str,
    *,
    verified: bool = True,
    note: str = "",
    labels: list[Tree] | None = None,
    key: str = "",
) -> str:
    """A problem of the list. A diagnosis that is not confirmed stays provisional."""
    status = ("confirmed", "Confirmé") if verified else ("provisional", "Provisoire")
    return record.add(
        without_empty(
            resourceType="Condition",
            meta={"security": labels} if labels else None,
            clinicalStatus=coded(_CLINICAL, "active", "En cours"),
            verificationStatus=coded(_VERIFICATION, *status),
            category=[coded(_CATEGORY, "problem-list-item", "Problème suivi")],
            code=concept(coding(systems.CIM10, code, display), text=display),
            onsetDateTime=moment(since),
            recordedDate=moment(since),
            recorder=record.who(by),
            note=[{"text": note}] if note else None,
        ),
        key,
    )


def problem(record: Record, name: str, since: date, by: str, labels: list[Tree] | None = None) -> str:
    """A problem of the catalogue together with its current treatment."""
    known = PROBLEMS[name]
    urn = condition(record, known.code, known.display, since, by, labels=labels)
    for drug in known.drugs:
        prescribe(record, drug, record.clock.day(-record.random.randint(12, 75)), by, urn, labels=labels)
    return urn


def prescribe(
    record: Record,
    drug: Drug,
    written: date,
    by: str,
    reason: str = "",
    *,
    status: str = "active",
    labels: list[Tree] | None = None,
) -> str:
    """A prescription in force (or stopped), in the words the patient reads on the box."""
    return record.add(
        without_empty(
            resourceType="MedicationRequest",
            meta={"security": labels} if labels else None,
            status=status,
            intent="order",
            medicationCodeableConcept=concept(coding(systems.ATC, drug.atc), text=drug.name),
            authoredOn=moment(written),
            requester=record.who(by),
            reasonReference=[ref(reason)] if reason else None,
            dosageInstruction=[{"text": drug.posology}],
            dispenseRequest={
                "validityPeriod": {"start": moment(written)},
                "numberOfRepeatsAllowed": 2,
                "expectedSupplyDuration": {"value": 30, "unit": "jours", "system": systems.UCUM, "code": "d"},
            },
        )
    )


def allergy(record: Record, number: int, by: str, since: date) -> str:
    """One of the allergies of the catalogue."""
    substance, atc, manifestation, criticality, severity = ALLERGIES[number % len(ALLERGIES)]
    return record.add(
        {
            "resourceType": "AllergyIntolerance",
            "clinicalStatus": coded(_ALLERGY_CLINICAL, "active", "En cours"),
            "verificationStatus": coded(_ALLERGY_VERIFICATION, "confirmed", "Confirmée"),
            "type": "allergy",
            "category": ["medication"],
            "criticality": criticality,
            "code": concept(coding(systems.ATC, atc), text=substance),
            "recordedDate": moment(since),
            "recorder": record.who(by),
            "reaction": [{"manifestation": [{"text": manifestation}], "severity": severity}],
        }
    )


def vaccinate(record: Record, name: str, on: date, by: str) -> str:
    code, display = VACCINES[name]
    return record.add(
        {
            "resourceType": "Immunization",
            "status": "completed",
            "vaccineCode": concept(coding(systems.ATC, code), text=display),
            "occurrenceDateTime": moment(on),
            "primarySource": True,
            "lotNumber": f"FICTIF-{record.random.randint(1000, 9999)}",
            "performer": [{"actor": record.who(by)}],
        }
    )
