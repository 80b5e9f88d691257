"""Resources as odd as FHIR R4 lets other software write them: they carry no subject yet (`of` gives them one).

Dates at the ends of the calendar and of every precision, references without an address, codes without words, values
without a number, elements that say only that they are not said.
"""

from collections.abc import Iterator
from typing import Any

from liaison.auth.access.identity import provisional

Tree = dict[str, Any]

MOMENTS = (
    "2016-12-31T23:59:60Z",  # a leap second
    "9999-12-31T23:59:59Z",  # in Paris, the year 10000
    "9999-12-31",
    "9999",
    "0001-01-01T00:00:00+14:00",  # before the first day of Python's calendar
    "0001-01-01",
    "0001",
    "2026",
    "2026-11",
    "2026-11-29T08:00:00.123456789+01:00",
    "2026-11-29T08:00:00-00:00",
)
INSTANTS = tuple(one for one in MOMENTS if "T" in one)
NOBODY: Tree = {"identifier": {"system": "urn:elsewhere", "value": "1"}}
UNSAID: Tree = {
    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]
}
BARE: Tree = {"coding": [{"code": "x"}]}
USER: Tree = {"coding": [{"system": "urn:x", "userSelected": True}]}
QUANTITY: Tree = {"value": 1}


def _concept(system: str, code: str) -> Tree:
    return {"coding": [{"system": system, "code": code}]}


def _dated(type_: str, element: str, moments: tuple[str, ...] = MOMENTS, **more: Any) -> list[Tree]:
    return [{"resourceType": type_, element: moment, **more} for moment in moments]


def _period(type_: str, element: str, **more: Any) -> list[Tree]:
    ends = [{"start": moment} for moment in MOMENTS] + [{"end": moment} for moment in MOMENTS]
    return [{"resourceType": type_, element: one, **more} for one in [*ends, UNSAID]]


VALUES: list[Tree] = [
    {"valueQuantity": {"unit": "kg"}},
    {"valueQuantity": {"_value": UNSAID, "comparator": "<"}},
    {"valueQuantity": {"value": 1e-7, "unit": "{score}"}},
    {"valueCodeableConcept": {"text": "à revoir"}},
    {"valueCodeableConcept": BARE},
    {"valueCodeableConcept": UNSAID},
    {"valueRange": {"low": {"unit": "g"}, "high": QUANTITY}},
    {"valueRange": {"high": QUANTITY}},
    {"valueRange": UNSAID},
    {"valueRatio": {"numerator": QUANTITY, "denominator": {"unit": "L"}}},
    {"valueRatio": UNSAID},
    {"valueSampledData": {"origin": {"value": 0}, "period": 10, "dimensions": 1, "data": "1 2 E U L"}},
    {"valueSampledData": {"origin": UNSAID, "period": 10, "dimensions": 1}},
    {"valueTime": "23:59:60"},
    {"_valueString": UNSAID},
    {"_valueDateTime": UNSAID},
    {"_valueBoolean": UNSAID},
    {"valuePeriod": UNSAID},
    {"dataAbsentReason": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "error"}]}},
    {"component": [{"code": BARE}, {"code": UNSAID, "valueInteger": 0}, {"code": BARE, "dataAbsentReason": BARE}]},
    {"referenceRange": [{"low": QUANTITY}, {"text": "adulte"}, {"high": {"unit": "g"}}], "valueInteger": 1},
    {"interpretation": [BARE, {"text": "haut"}], "valueInteger": 1},
    *({"valuePeriod": {"start": one}} for one in MOMENTS),
    *({"valueDateTime": one} for one in MOMENTS),
]  # fmt: skip
CODES: list[Tree] = [{}, {"code": {"text": "en mots"}}, {"code": BARE}, {"code": UNSAID}, {"code": USER}]
STATUS: Tree = {"_status": UNSAID}


def observations() -> Iterator[Tree]:
    base: Tree = {"resourceType": "Observation", "status": "final", "code": BARE}
    for value in VALUES:
        yield {**base, **value}
    for code in CODES[1:]:
        yield {**base, **code, "encounter": {"display": "hier"}, "performer": [NOBODY]}
    for one in _dated("Observation", "effectiveDateTime") + _dated("Observation", "effectiveInstant", INSTANTS):
        yield {**base, **one, "valueInteger": 1}
    for one in _period("Observation", "effectivePeriod"):
        yield {**base, **one, "valueInteger": 1}
    yield {
        **base,
        "effectiveTiming": {"repeat": {"boundsDuration": QUANTITY}},
        "valueInteger": 1,
        "derivedFrom": [NOBODY],
    }
    yield {**base, "_effectiveDateTime": UNSAID, "_issued": UNSAID, "valueInteger": 1}


def forms() -> Iterator[Tree]:
    base: Tree = {"resourceType": "QuestionnaireResponse", "status": "completed"}
    yield {**base, "encounter": {"display": "hier"}}
    yield {**base, "encounter": NOBODY, "identifier": {"value": "x"}, "questionnaire": "urn:uuid:none"}
    yield {
        **base,
        "questionnaire": "https://liaison.example/fhir/Questionnaire/home-visit",
        "identifier": {"system": "u"},
    }
    yield {**base, "_questionnaire": UNSAID, "author": NOBODY}
    answers: list[Tree] = [
        {"valueCoding": {"code": "x"}}, {"valueCoding": UNSAID}, {"valueQuantity": QUANTITY}, {"valueBoolean": True},
        {"valueAttachment": {"title": "photo"}}, {"valueReference": NOBODY}, {"_valueString": UNSAID}, {"valueDate": "2026"},
        {"valueTime": "08:00:00"}, {"valueDecimal": 1.5}, {"valueUri": "urn:x"}, {"valueInteger": 0},
        {"valueDateTime": "9999-12-31T23:59:59Z", "item": [{"linkId": "sous", "answer": [{"valueString": "oui"}]}]},
    ]  # fmt: skip
    for form in ({}, {"questionnaire": "https://liaison.example/fhir/Questionnaire/home-visit"}):
        for answer in answers:
            yield {
                **base,
                **form,
                "item": [{"linkId": "note", "answer": [answer]}, {"linkId": "x", "answer": [answer]}],
            }
    device = "https://liaison.example/fhir/StructureDefinition/device-time"
    for moment in MOMENTS:
        yield {**base, "authored": moment, "extension": [{"url": device, "valueDateTime": "2026-11-29T07:00:00Z"}]}
        yield {**base, "authored": "2026-11-29T07:00:00Z", "extension": [{"url": device, "valueDateTime": moment}]}
    yield {**base, "authored": "2026-11-29T07:00:00Z", "extension": [{"url": device, "valueString": "hier"}]}


def medicines() -> Iterator[Tree]:
    whats: list[Tree] = [
        {"medicationCodeableConcept": {"text": "en mots"}},
        {"medicationCodeableConcept": BARE},
        {"medicationCodeableConcept": UNSAID},
        {"medicationReference": {"display": "Warfarine"}},
        {"medicationReference": NOBODY},
        {"medicationReference": {"reference": "#m"}, "contained": [{"resourceType": "Medication", "id": "m"}]},
        {
            "medicationReference": {"reference": "#m"},
            "contained": [
                {
                    "resourceType": "Medication",
                    "id": "m",
                    "ingredient": [
                        {"itemCodeableConcept": BARE},
                        {"itemReference": NOBODY, "strength": {"numerator": QUANTITY, "denominator": UNSAID}},
                        {"itemReference": {"reference": "#n"}},
                    ],
                },
                {"resourceType": "Substance", "id": "n", "code": UNSAID},
            ],
        },
    ]
    doses: list[Tree] = [
        {},
        {"text": "1 le matin"},
        {"asNeededCodeableConcept": BARE},
        {"timing": {"repeat": {"frequency": 3}}},
        {"timing": {"repeat": {"period": 1, "periodUnit": "d"}}},
        {"timing": {"event": list(MOMENTS)}},
        {"timing": {"event": ["2026"], "repeat": {"boundsPeriod": UNSAID, "when": ["PCM"], "offset": 30}}},
        {"timing": {"code": BARE}},
        {"timing": {"repeat": {"boundsRange": {"low": QUANTITY}, "dayOfWeek": ["mon"], "timeOfDay": ["08:00:00"]}}},
        {"doseAndRate": [{"doseRange": {"high": QUANTITY}}, {"doseQuantity": {"unit": "mg"}}, {"rateRatio": UNSAID}]},
        {"doseAndRate": [{"type": BARE, "rateQuantity": QUANTITY}, {"rateRange": UNSAID}]},
        {"maxDosePerPeriod": {"numerator": QUANTITY, "denominator": {"code": "d", "system": "urn:x"}}},
        {"maxDosePerPeriod": UNSAID, "maxDosePerAdministration": {"unit": "mg"}, "maxDosePerLifetime": QUANTITY},
        {"route": BARE, "site": UNSAID, "method": USER, "additionalInstruction": [BARE, UNSAID]},
    ]
    for what in whats:
        yield {"resourceType": "MedicationRequest", "status": "active", "intent": "order", **what}
        yield {"resourceType": "MedicationStatement", "status": "active", **what}
        yield {"resourceType": "MedicationRequest", "status": "stopped", "intent": "plan", "doNotPerform": True, **what}
    for dose in doses:
        if dose:
            more = {**whats[0]}
            yield {
                "resourceType": "MedicationRequest",
                "status": "active",
                "intent": "order",
                **more,
                "dosageInstruction": [dose, {"sequence": 2, "text": "b"}],
            }
            yield {"resourceType": "MedicationStatement", "status": "active", **more, "dosage": [dose]}
    for one in _dated("MedicationRequest", "authoredOn"):
        yield {**one, "status": "stopped", "intent": "order", **whats[0]}
    for one in _dated("MedicationStatement", "effectiveDateTime") + _period("MedicationStatement", "effectivePeriod"):
        yield {**one, "status": "completed", **whats[0]}


def others() -> Iterator[Tree]:
    yield from ({"resourceType": "Condition", **code} for code in CODES)
    over = _concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "resolved")
    for element in ("recordedDate", "onsetDateTime", "abatementDateTime"):
        yield from _dated("Condition", element, clinicalStatus=over)
    yield {
        "resourceType": "Condition",
        "onsetAge": {"value": 40, "system": "http://unitsofmeasure.org", "code": "a"},
    }
    yield {"resourceType": "Condition", "onsetRange": {"low": UNSAID}, "severity": BARE, "bodySite": [UNSAID]}
    stands = _concept("http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "active")
    yield from ({"resourceType": "AllergyIntolerance", "clinicalStatus": stands, **code} for code in CODES)
    yield from _dated("AllergyIntolerance", "recordedDate", clinicalStatus=stands)
    for reaction in ({"substance": BARE}, {"substance": {"text": "latex"}, "manifestation": [UNSAID, BARE]}):
        yield {
            "resourceType": "AllergyIntolerance",
            "clinicalStatus": stands,
            "reaction": [{"manifestation": [{"text": "x"}], **reaction}],
        }
    yield from (
        {"resourceType": "Immunization", "status": "completed", "vaccineCode": BARE, "occurrenceDateTime": one}
        for one in MOMENTS
    )
    yield {"resourceType": "Immunization", "status": "not-done", "vaccineCode": UNSAID, "occurrenceString": "petite"}
    yield from _period("Encounter", "period", status="finished", **{"class": {"code": "AMB"}})
    yield {"resourceType": "Encounter", "status": "finished", "class": UNSAID, "participant": [{"individual": NOBODY}]}
    yield from _dated("Procedure", "performedDateTime", status="completed")
    yield from _period("Procedure", "performedPeriod", status="not-done", code=USER)
    yield from _dated("DiagnosticReport", "effectiveDateTime", status="final", code=BARE)
    yield from _dated(
        "DiagnosticReport", "issued", INSTANTS, status="partial", code=UNSAID, performer=[NOBODY], result=[NOBODY]
    )
    for one in _dated("Communication", "sent"):
        yield {**one, "status": "completed", "payload": [{"contentReference": NOBODY}]}
    yield {
        "resourceType": "Communication",
        "status": "completed",
        "payload": [{"contentAttachment": {"title": "x"}}, {"_contentString": UNSAID}],
    }
    attachments: list[Tree] = [
        {},
        {"contentType": "text/plain"},
        {"contentType": "text/plain", "data": "w6k="},
        {"contentType": "text/plain", "data": "6Q=="},
        {"_contentType": UNSAID, "url": "urn:x"},
    ]
    for attachment in attachments:
        yield {
            "resourceType": "DocumentReference",
            "status": "current",
            "content": [{"attachment": attachment or {"title": "x"}}],
        }
    yield from _dated("DocumentReference", "date", INSTANTS, status="current", content=[{"attachment": {"title": "x"}}])
    yield from _period("Flag", "period", status="active", code=BARE)
    yield {"resourceType": "Flag", "status": "active", "code": UNSAID, "author": NOBODY}
    yield from _period("CarePlan", "period", status="active", intent="plan")
    yield {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "category": [UNSAID],
        "activity": [{"reference": NOBODY}, {"detail": {"status": "unknown"}}],
    }
    yield from _dated(
        "Goal",
        "startDate",
        tuple(m for m in MOMENTS if "T" not in m),
        lifecycleStatus="active",
        description={"text": "Marcher"},
    )
    yield {"resourceType": "Goal", "lifecycleStatus": "active", "description": BARE, "achievementStatus": BARE}
    step = {"coding": [{"system": "https://liaison.example/fhir/CodeSystem/step", "code": "x"}]}
    for coded in (step, UNSAID, BARE):
        for moment in MOMENTS:
            yield {
                "resourceType": "Task",
                "status": "requested",
                "intent": "order",
                "code": coded,
                "restriction": {"period": {"end": moment}},
            }
            yield {
                "resourceType": "Task",
                "status": "completed",
                "intent": "order",
                "code": coded,
                "executionPeriod": {"end": moment},
            }
            yield {
                "resourceType": "Task",
                "status": "requested",
                "intent": "order",
                "code": coded,
                "authoredOn": moment,
            }
    yield from _dated("Appointment", "start", INSTANTS, status="booked")
    yield from _dated("ServiceRequest", "authoredOn", status="active", intent="order")


def people() -> Iterator[Tree]:
    for period in [{"start": one} for one in MOMENTS] + [{"end": one} for one in MOMENTS]:
        member = {"member": {"display": "Voisine"}, "period": period, "role": [BARE, UNSAID, {"text": "aide"}]}
        yield {"resourceType": "CareTeam", "status": "active", "category": [{"text": "x"}], "participant": [member]}
    members: list[Tree] = [
        {"member": NOBODY},
        {"role": [BARE]},
        {"member": UNSAID},
        {"onBehalfOf": NOBODY, "role": [USER]},
    ]
    yield {"resourceType": "CareTeam", "status": "active", "category": [BARE], "participant": members}
    names: list[Tree] = [
        UNSAID,
        {"text": "Tout court"},
        {"_family": UNSAID, "given": [None, "X"], "_given": [UNSAID, None]},
        {"use": "official", "prefix": ["M."]},
    ]
    for name in names:
        yield {
            "resourceType": "RelatedPerson",
            "name": [name],
            "telecom": [{"system": "phone"}],
            "relationship": [BARE, UNSAID],
        }
    yield {"resourceType": "RelatedPerson"}
    for one in MOMENTS:
        yield {
            "resourceType": "RelatedPerson",
            "name": [{"text": "Fille"}],
            "period": {"end": one},
            "birthDate": one[:10],
        }
    scope = _concept("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy")
    for category in (BARE, UNSAID, {"text": "feuille"}):
        consent = {"resourceType": "Consent", "status": "active", "scope": scope, "policyRule": BARE}
        for one in MOMENTS:
            yield {**consent, "category": [category], "dateTime": one, "provision": {"period": {"end": one}}}


def patient(tree: Tree) -> Tree:
    """The Patient, with what else R4 lets be said of a person, or left unsaid; no longer checked, since the date of birth
    is of those traits that a checked identity keeps."""
    usual = {"use": "usual", "given": [None, "Zoé"], "_given": [UNSAID, None], "_family": UNSAID}
    return {
        **provisional(tree),
        "name": [*tree["name"], usual, UNSAID],
        "address": [{"line": [None, "3 rue Basse"], "_line": [UNSAID, None]}, UNSAID, {"use": "old"}],
        "telecom": [{"system": "phone"}, UNSAID],
        "contact": [{"name": UNSAID}],
        "birthDate": "1950",
        "deceasedDateTime": "9999",
    }


def of(patient: str, tree: Tree) -> Tree:
    """The tree, of that person, by the element that its type has for it."""
    reference = {"reference": f"Patient/{patient}"}
    match tree["resourceType"]:
        case "AllergyIntolerance" | "Immunization" | "RelatedPerson" | "Consent":
            return {**tree, "patient": reference}
        case "Task":
            return {**tree, "for": reference}
        case "Appointment":
            participant = [{"actor": reference, "status": "accepted"}]
            return {**tree, "end": tree["start"], "participant": participant}
        case _:
            return {**tree, "subject": reference}


KINDS = {one.__name__: one for one in (observations, forms, medicines, others, people)}
