"""What R4 says of the parameters, codes and units that the reference evaluator knows: tables, written by hand."""

from dataclasses import dataclass
from fractions import Fraction


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

PARAMETERS: dict[str, dict[str, Parameter]] = {
    "Patient": {
        "family": _p("string", "name.family"),
        "given": _p("string", "name.given"),
        "name": _p("string", "name.family", "name.given", "name.prefix", "name.suffix", "name.text"),
        "address-city": _p("string", "address.city"),
        "birthdate": _p("date", "birthDate"),
        "death-date": _p("date", "deceasedDateTime"),
        "gender": _p("token", "gender"),
        "identifier": _p("token", "identifier"),
        "phone": _p("token", "telecom"),
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
        "value-quantity": _p("quantity", "valueQuantity"),
        "component-value-quantity": _p("quantity", "component.valueQuantity"),
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
    },
    "Condition": {
        **_PATIENT,
        **_ENCOUNTER,
        "code": _p("token", "code"),
        "clinical-status": _p("token", "clinicalStatus"),
        "verification-status": _p("token", "verificationStatus"),
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
        "status": _p("token", "status"),
        "intent": _p("token", "intent"),
        "authoredon": _p("date", "authoredOn"),
        "requester": _p("reference", "requester", targets="Practitioner Organization Patient"),
        "medication": _p("reference", "medicationReference", targets="Medication"),
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
        "email": _p("token", "telecom"),
        "active": _p("token", "active"),
    },
    "Organization": {
        "name": _p("string", "name", "alias"),
        "address-city": _p("string", "address.city"),
        "identifier": _p("token", "identifier"),
        "type": _p("token", "type"),
    },
    "Location": {"name": _p("string", "name", "alias"), "address-city": _p("string", "address.city")},
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
}

# Elements whose tokens have no system, so that no bar may be written.
WITHOUT_SYSTEM = frozenset({"phone", "email", "active", "version"})

# UCUM units of the given data and some beside them: what they measure, and how many of the first of their kind they are.
UNITS: dict[str, tuple[str, Fraction]] = {
    code: (kind, Fraction(size))
    for kind, sizes in {
        "concentration": {"g/L": "1", "g/dL": "10", "mg/dL": "1/100", "mg/L": "1/1000", "ug/mL": "1/1000"}
        | {"ug/L": "1/1000000", "ng/mL": "1/1000000", "pg/mL": "1/1000000000", "kg/m3": "1"},
        "length": {"m": "1", "cm": "1/100", "mm": "1/1000", "[in_i]": "254/10000"},
        "mass": {"kg": "1", "g": "1/1000", "pg": "1/1000000000000000", "mg": "1/1000000"},
        "volume": {"L": "1", "fL": "1/1000000000000000", "mL": "1/1000", "dm3": "1"},
        "activity": {"kU/L": "1000", "U/L": "1"},
        "amount": {"mol/L": "1", "mmol/L": "1/1000", "umol/L": "1/1000000"},
        "pressure": {"mm[Hg]": "133322/1000", "kPa": "1000", "Pa": "1"},
        "count": {"10*3/uL": "1000", "10*6/uL": "1000000", "10*9/L": "1000"},
        "flow": {"mL/min": "1", "mL/min/{1.73_m2}": "1", "L/min": "1000"},
        "number": {"%": "1/100", "{score}": "1", "{nominal}": "1", "{INR}": "1", "1": "1", "mg/g": "1/1000"},
        "rate": {"/min": "1", "Hz": "60"},
        "time": {"s": "1", "min": "60", "ms": "1/1000"},
        # Each the only one of its kind here: a scale, kilograms for a square metre, an acidity, a picohenry.
        "temperature": {"Cel": "1"},
        "cover": {"kg/m2": "1"},
        "acidity": {"[pH]": "1"},
        "inductance": {"pH": "1"},
    }.items()
    for code, size in sizes.items()
}

# Each kind in base units of UCUM, and how many of these its first unit is: what quantities are ordered by.
_MOLE = 602214076 * 10**15
BASES: dict[str, tuple[str, Fraction]] = {
    "concentration": ("g.m-3", Fraction(1000)),
    "length": ("m", Fraction(1)),
    "mass": ("g", Fraction(1000)),
    "volume": ("m3", Fraction(1, 1000)),
    "activity": ("m-3.s-1", Fraction(_MOLE, 10**6 * 60) * 1000),
    "amount": ("m-3", Fraction(_MOLE * 1000)),
    "pressure": ("g.m-1.s-2", Fraction(1000)),
    "count": ("m-3", Fraction(10**9)),
    "flow": ("m3.s-1", Fraction(1, 10**6 * 60)),
    "number": ("1", Fraction(1)),
    "rate": ("s-1", Fraction(1, 60)),
    "time": ("s", Fraction(1)),
    "temperature": ("K", Fraction(1)),
    "cover": ("g.m-2", Fraction(1000)),
    "acidity": ("[pH]", Fraction(1)),
    "inductance": ("C-2.g.m2", Fraction(1)),
}

# Which element orders a type when it is sorted by its main date: the first of these that is there.
MAIN_DATES = {
    ("Observation", "date"): (
        "effectiveDateTime",
        "effectivePeriod",
        "effectiveInstant",
        "effectiveTiming.event",
        "effectiveTiming.repeat.boundsPeriod",
        "issued",
    ),
    ("Encounter", "date"): ("period",),
    ("Condition", "onset-date"): ("onsetDateTime", "onsetPeriod", "recordedDate"),
    ("Procedure", "date"): ("performedDateTime", "performedPeriod"),
    ("MedicationRequest", "authoredon"): ("authoredOn",),
}
