"""What a resource is, for access: from its type, codes, labels, service and author. Unknown is clinical, never open."""

from typing import Any

import pytest

from liaison.auth.access import vocabulary
from liaison.auth.access.classes import Class
from liaison.auth.access.classify import classify, is_psychiatric_service, own_classes
from liaison.fhir.definitions import DIRECTORY_TYPES, RESOURCE_TYPES
from liaison.fhir.interactions.related import Related

Tree = dict[str, Any]
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
ICD, ATC, LOINC = "http://hl7.org/fhir/sid/icd-10", "http://www.whocc.no/atc", "http://loinc.org"


def coded(system: str, code: str) -> Tree:
    return {"coding": [{"system": system, "code": code}]}


def names(tree: Tree) -> set[str]:
    return {one.name for one in Class if one & own_classes(tree) and one.name}


def labelled(type_: str, *names_: str, **more: Any) -> Tree:
    security = [{"system": vocabulary.DATA_CLASS, "code": name} for name in names_]
    return {"resourceType": type_, "meta": {"security": security}, **more}


@pytest.mark.parametrize("type_", sorted(RESOURCE_TYPES - DIRECTORY_TYPES))
def test_every_type_has_a_class(type_: str) -> None:
    assert own_classes({"resourceType": type_})


@pytest.mark.parametrize(
    ("tree", "wanted"),
    [
        ({"resourceType": "Patient"}, {"ADM"}),
        ({"resourceType": "RelatedPerson"}, {"FILE"}),
        ({"resourceType": "CareTeam"}, {"TEAM"}),
        ({"resourceType": "Observation"}, {"CLIN"}),
        ({"resourceType": "ImagingStudy"}, {"CLIN"}),
        ({"resourceType": "Observation", "category": [coded(_CATEGORY, "vital-signs")]}, {"VITAL"}),
        ({"resourceType": "Observation", "category": [coded("urn:other", "vital-signs")]}, {"CLIN"}),
        ({"resourceType": "Observation", "category": [coded(_CATEGORY, "laboratory")]}, {"LAB"}),
        ({"resourceType": "Condition", "code": coded(ICD, "J44.1")}, {"CLIN"}),
        ({"resourceType": "Condition", "code": coded(ICD, "B24")}, {"CLIN", "SENS"}),
        ({"resourceType": "Condition", "code": coded(ICD, "F10.2")}, {"CLIN", "SENS"}),
        ({"resourceType": "Condition", "code": coded(ICD, "F17.2")}, {"CLIN"}),  # tobacco is not hidden
        ({"resourceType": "Condition", "code": coded(ICD, "F20.0")}, {"CLIN", "PSY"}),
        ({"resourceType": "MedicationRequest", "medicationCodeableConcept": coded(ATC, "J05AR20")}, {"MEDS", "SENS"}),
        ({"resourceType": "MedicationRequest", "medicationCodeableConcept": coded(ATC, "C09AA04")}, {"MEDS"}),
        ({"resourceType": "DocumentReference", "type": coded(LOINC, "34133-9")}, {"SYNTH"}),
        ({"resourceType": "DocumentReference", "type": coded(LOINC, "34788-0")}, {"CLIN", "PSY"}),
        ({"resourceType": "Flag", "category": [coded("urn:x", "safety")]}, {"SAFETY"}),
        ({"resourceType": "Task", "code": coded(vocabulary.REVIEW, "join")}, {"AUD"}),
        (
            {
                "resourceType": "QuestionnaireResponse",
                "questionnaire": f"{vocabulary.LOCAL}/Questionnaire/home-visit|1",
            },
            {"COORD"},
        ),
    ],
)
def test_codes_say_what_it_is(tree: Tree, wanted: set[str]) -> None:
    assert names(tree) == wanted


def test_a_sensitive_label_adds_and_an_ordinary_one_replaces() -> None:
    assert names(labelled("Observation", "PSY")) == {"CLIN", "PSY"}
    assert names(labelled("Observation", "COORD")) == {"COORD"}
    assert names(labelled("Observation", "COORD", "SENS")) == {"COORD", "SENS"}


def test_a_label_never_takes_away_what_a_code_says() -> None:
    assert names(labelled("Condition", "COORD", code=coded(ICD, "B24"))) == {"COORD", "SENS"}


@pytest.mark.parametrize("type_", ["Patient", "CareTeam", "Consent", "RelatedPerson", "Person"])
def test_what_rights_derive_from_cannot_be_called_something_else(type_: str) -> None:
    assert names(labelled(type_, "COORD", "SAFETY")) == names({"resourceType": type_})


def test_the_review_list_cannot_be_called_something_else() -> None:
    assert names(labelled("Task", "COORD", code=coded(vocabulary.REVIEW, "join"))) == {"AUD"}


@pytest.mark.parametrize(
    ("status", "classes"),
    [("requested", {"ALERT"}), ("in-progress", {"ALERT"}), ("completed", {"COORD"}), ("cancelled", {"COORD"})],
)
def test_an_alert_is_one_until_it_is_closed(status: str, classes: set[str]) -> None:
    level = coded("https://liaison.example/fhir/CodeSystem/alert-level", "ORANGE")
    assert names({"resourceType": "Task", "status": status, "code": level}) == classes


COPD = coded(ICD, "J44.1")


@pytest.mark.parametrize(
    ("tree", "wanted"),
    [
        ({"resourceType": "Claim", "diagnosis": [{"sequence": 1, "diagnosisCodeableConcept": COPD}]}, {"FILE", "CLIN"}),
        ({"resourceType": "ExplanationOfBenefit", "item": [{"productOrService": coded(ATC, "R03AC02")}]}, {"FILE", "CLIN"}),
        ({"resourceType": "ChargeItem", "reason": [COPD]}, {"FILE", "CLIN"}),
        ({"resourceType": "CoverageEligibilityRequest", "item": [{"diagnosis": [{"diagnosisCodeableConcept": COPD}]}]},
         {"FILE", "CLIN"}),
        ({"resourceType": "Claim", "diagnosis": [{"diagnosisCodeableConcept": coded(ICD, "B24")}]}, {"FILE", "CLIN", "SENS"}),
        ({"resourceType": "Claim", "total": {"value": 26.5}}, {"FILE"}),
        ({"resourceType": "Coverage", "type": {"text": "AMO"}}, {"FILE"}),
    ],
    ids=["a diagnosis", "a medicine", "a reason", "in an item", "a sensitive one", "an amount", "a cover"],
)  # fmt: skip
def test_a_bill_that_tells_of_care_is_clinical_too(tree: Tree, wanted: set[str]) -> None:
    """Secretaries and social workers read the file of a person (rows 10b and 17), and no diagnosis."""
    assert names(tree) == wanted


def test_a_restriction_without_a_reason_is_taken_as_sensitive() -> None:
    system = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
    assert names({"resourceType": "Observation", "meta": {"security": [{"system": system, "code": "R"}]}}) == {
        "CLIN",
        "SENS",
    }
    assert names({"resourceType": "Observation", "meta": {"security": [{"system": system, "code": "N"}]}}) == {"CLIN"}


def test_a_consent_that_masks_is_as_hidden_as_what_it_masks() -> None:
    data = [{"reference": {"reference": "Observation/1"}}]
    assert names({"resourceType": "Consent", "provision": {"type": "deny", "data": data}}) == {"CONSENT", "MASKED"}
    nested = {"type": "permit", "provision": [{"type": "deny", "data": data}]}
    assert names({"resourceType": "Consent", "provision": nested}) == {"CONSENT", "MASKED"}
    assert names({"resourceType": "Consent", "provision": {"type": "deny"}}) == {"CONSENT"}


@pytest.mark.parametrize(
    ("tree", "psychiatric"),
    [
        ({"name": "Service de Psychiatrie adulte"}, True),
        ({"name": "Unité 3", "type": [coded("http://snomed.info/sct", "394587001")]}, True),
        ({"name": "Cardiologie"}, False),
    ],
)
def test_a_psychiatric_service_is_known_by_its_type_or_name(tree: Tree, psychiatric: bool) -> None:
    assert is_psychiatric_service(tree) is psychiatric


def test_what_a_psychiatrist_writes_is_psychiatry_but_not_the_appointment() -> None:
    author = {"reference": "PractitionerRole/1"}
    role = {"resourceType": "PractitionerRole", "specialty": [coded(vocabulary.SPECIALTY, "SM42")],
            "organization": {"reference": "Organization/2"}}  # fmt: skip
    note = {"resourceType": "DocumentReference", "author": [author]}
    labels = classify(note, {"PractitionerRole/1": role})
    assert labels.classes == Class.CLIN | Class.PSY
    assert (labels.author, labels.service) == ("PractitionerRole/1", "Organization/2")
    task = {"resourceType": "Task", "requester": author}
    assert classify(task, {"PractitionerRole/1": role}).classes == Class.COORD


def test_what_is_found_of_an_encounter_holds_for_all_that_name_it_and_for_no_other() -> None:
    code = {"system": vocabulary.DATA_CLASS, "code": "PSY"}
    stays: dict[str, Tree] = {
        "Encounter/a": {"resourceType": "Encounter", "meta": {"security": [code]}},
        "Encounter/b": {"resourceType": "Encounter"},
    }
    related = Related(stays, {})
    course = [*stays, *stays, "Encounter/c", ""]

    found = [
        classify({"resourceType": "Observation", "encounter": {"reference": one}}, related).classes for one in course
    ]

    assert [bool(one & Class.PSY) for one in found] == [True, False, True, False, False, False]


def test_a_provenance_is_as_closed_as_what_it_is_about() -> None:
    target = {"resourceType": "Condition", "code": coded(ICD, "B24")}
    tree = {"resourceType": "Provenance", "target": [{"reference": "Condition/1/_history/2"}]}
    assert classify(tree, {"Condition/1": target}).classes == Class.CLIN | Class.SENS
    assert classify(tree, {}).classes == Class.CLIN


ATC = "http://www.whocc.no/atc"
SECRET = {"resourceType": "Medication", "id": "m", "code": coded(ATC, "N07BC01")}
LABELLED = {
    "resourceType": "Medication",
    "id": "m",
    "meta": {"security": [{"system": vocabulary.DATA_CLASS, "code": "PSY"}]},
}
PLAIN = {"resourceType": "Medication", "id": "m", "code": coded(ATC, "C03CA01")}


@pytest.mark.parametrize(
    "type_", ["MedicationRequest", "MedicationStatement", "MedicationDispense", "MedicationAdministration"]
)
@pytest.mark.parametrize(
    ("medication", "added"),
    [(SECRET, Class.SENS), (LABELLED, Class.PSY), (PLAIN, Class(0))],
    ids=["by its code", "by its label", "an ordinary one"],
)
def test_a_treatment_is_as_closed_as_its_medicine(type_: str, medication: Tree, added: Class) -> None:
    referring = {"resourceType": type_, "medicationReference": {"reference": "Medication/1/_history/1"}}
    assert classify(referring, {"Medication/1": medication}).classes == Class.MEDS | added
    containing = {"resourceType": type_, "contained": [medication], "medicationReference": {"reference": "#m"}}
    assert classify(containing, {}).classes == Class.MEDS | added


def _said(type_: str = "Observation", **elements: Any) -> set[str]:
    return names({"resourceType": type_, "code": {"text": "x"}, **elements})


@pytest.mark.parametrize(
    ("tree", "wanted"),
    [
        pytest.param({"valueString": "Sérologie VIH négative"}, {"CLIN", "SENS"}, id="a value"),
        pytest.param({"note": [{"text": "Consomme du cannabis le soir."}]}, {"CLIN", "SENS"}, id="a note"),
        pytest.param({"note": [{"text": "Toux la nuit, ne consomme pas d'alcool."}]}, {"CLIN"}, id="an ordinary note"),
        pytest.param({"component": [{"valueString": "épisode psychotique"}]}, {"CLIN", "PSY"}, id="a component"),
        pytest.param({"text": {"status": "additional", "div": "<div>H&#233;<b>ro&#239;ne</b></div>"}}, {"CLIN", "SENS"}, id="letters cut by markup"),
        pytest.param({"text": {"status": "additional", "div": "<div><b>H&#233;ro&#239;ne</b></div>"}}, {"CLIN", "SENS"}, id="a narrative"),
        pytest.param({"contained": [{"resourceType": "Observation", "valueString": "VIH"}]}, {"CLIN", "SENS"}, id="in what it holds"),
        pytest.param({"note": [{"text": "IVG, œdème aigu du poumon"}]}, {"CLIN"}, id="a failing heart"),
        pytest.param({"note": [{"text": "Chambre B20, lit F10"}]}, {"CLIN"}, id="a bed"),
        pytest.param({"performer": [{"reference": "Practitioner/1", "display": "Dr Viol"}]}, {"CLIN"}, id="somebody's name"),
        pytest.param({"extension": [{"url": "https://example.org/vih", "valueBoolean": True}]}, {"CLIN"}, id="an address"),
    ],
)  # fmt: skip
def test_a_clinical_content_is_what_is_written_in_it(tree: Tree, wanted: set[str]) -> None:
    assert _said(**tree) == wanted


@pytest.mark.parametrize(
    ("tree", "wanted"),
    [
        pytest.param({"resourceType": "Encounter", "reasonCode": [{"text": "sevrage alcoolique"}]}, {"STAY", "SENS"}, id="a stay"),
        pytest.param({"resourceType": "DocumentReference", "description": "Bilan VIH"}, {"CLIN", "SENS"}, id="a document"),
        pytest.param({"resourceType": "DocumentReference", "content": [{"attachment": {"title": "violences"}}]},
                     {"CLIN", "SENS"}, id="a title"),
        pytest.param({"resourceType": "MedicationRequest", "dosageInstruction": [{"text": "avec la méthadone"}]},
                     {"MEDS", "SENS"}, id="a dosage"),
        pytest.param({"resourceType": "QuestionnaireResponse", "item": [{"linkId": "1", "text": "Violences ?"}]}, {"CLIN"}, id="a question"),
        pytest.param({"resourceType": "QuestionnaireResponse", "item": [
            {"linkId": "1", "answer": [{"valueString": "violences subies"}]}]}, {"CLIN", "SENS"}, id="an answer"),
        pytest.param({"resourceType": "Communication", "payload": [{"contentString": "VIH"}]}, {"COORD"}, id="a message"),
        pytest.param({"resourceType": "Task", "description": "Parler des violences"}, {"COORD"}, id="a task"),
        pytest.param(labelled("DocumentReference", "SYNTH", description="violences"), {"SYNTH"}, id="a synthesis"),
        pytest.param(labelled("DocumentReference", "CLINSOC", description="violences"), {"CLINSOC"}, id="for social follow-up"),
    ],
)  # fmt: skip
def test_and_coordination_passes(tree: Tree, wanted: set[str]) -> None:
    assert names(tree) == wanted
