"""A code is as sensitive by each name of its code system: CDA has OIDs, countries have editions, some write small letters."""

import pytest
import yaml

from liaison.auth.access.class_text import packaged_text
from liaison.auth.access.classes import Class
from liaison.auth.access.classify import classify, in_use, use
from liaison.auth.access.systems import called

from .test_classify import ATC, ICD, LOINC, Tree, coded

ICD_11 = "http://id.who.int/icd/release/11/mms"
CONFIDENTIALITY = "urn:oid:2.16.840.1.113883.5.25"


@pytest.mark.parametrize(
    ("system", "code", "wanted"),
    [
        ("urn:oid:2.16.840.1.113883.6.3", "B20.0", Class.SENS),
        ("urn:oid:2.16.840.1.113883.6.90", "F20.0", Class.PSY),
        ("http://hl7.org/fhir/sid/icd-10-fr", "F20.0", Class.PSY),
        ("http://hl7.org/fhir/sid/icd-10-cm", "B20", Class.SENS),
        ("http://terminology.hl7.org/CodeSystem/icd10", "B20", Class.SENS),
        ("https://hl7.org/fhir/sid/icd-10/", "B20", Class.SENS),
        ("http://hl7.org/fhir/sid/icd-10|2019", "B20", Class.SENS),
        ("https://smt.esante.gouv.fr/terminologie-cim-10", "B200", Class.SENS),
        ("https://smt.esante.gouv.fr/terminologie-cim-10/", "F20.0", Class.PSY),
        ("https://smt.esante.gouv.fr/terminologie-atc", "J05AR20", Class.SENS),
        ("http://id.who.int/icd/release/10/2019", "B20", Class.SENS),
        (ICD, "b20.1", Class.SENS),
        ("urn:oid:2.16.840.1.113883.6.1", "75622-1", Class.SENS),
        ("urn:oid:2.16.840.1.113883.6.96", "86406008", Class.SENS),
        ("http://snomed.info/sct/900000000000207008/version/20260131", "86406008", Class.SENS),
        ("urn:oid:2.16.840.1.113883.6.73", "J05AR20", Class.SENS),
        ("http://hl7.org/fhir/sid/icpc-2", "B90", Class.SENS),
        ("http://hl7.org/fhir/sid/icpc-2", "P15", Class.SENS),
        ("urn:oid:2.16.840.1.113883.6.139", "W83", Class.SENS),
        ("http://hl7.org/fhir/sid/icpc-2", "P72", Class.PSY),
        ("http://hl7.org/fhir/sid/icpc-2", "P17", Class(0)),  # tobacco
        ("http://hl7.org/fhir/sid/icpc-2", "R95", Class(0)),  # COPD
        (ICD, "W10", Class(0)),  # a fall on stairs
        (f"{ICD}-fr", "J44.1", Class(0)),
        ("http://hl7.org/fhir/sid/icd-9", "B20", Class(0)),
        ("https://smt.esante.gouv.fr/terminologie-cim11-mms", "B20", Class(0)),
        ("urn:oid:1.2.3", "B20", Class(0)),
    ],
)
def test_a_sensitive_code_is_known_by_each_name_of_its_system(system: str, code: str, wanted: Class) -> None:
    for tree in ({"resourceType": "Condition", "code": coded(system, code)},
                 {"resourceType": "Task", "input": [{"valueCoding": {"system": system, "code": code}}]}):  # fmt: skip
        assert classify(tree, {}).classes & (Class.SENS | Class.PSY) == wanted


@pytest.mark.parametrize(
    ("coding", "wanted"),
    [
        ({"code": "B20.1"}, Class.SENS),
        ({"code": "b24"}, Class.SENS),
        ({"code": "W10"}, Class(0)),
        ({"code": "P15"}, Class(0)),
        ({"code": "F20.0", "display": "?"}, Class.PSY),
        ({"code": "J05AR20"}, Class.SENS),
        ({"code": "86406008"}, Class.SENS),
        ({"code": "75622-1"}, Class.SENS),
        ({"code": "6C40.2"}, Class.SENS),
        ({"system": ICD_11, "code": "1C62.Z"}, Class.SENS),
        ({"system": f"{ICD_11}|2025-01", "code": "6A20.Z"}, Class.PSY),
        ({"system": "https://id.who.int/icd/release/11/2024-01/mms", "code": "1A61"}, Class.SENS),
        ({"system": "https://smt.esante.gouv.fr/terminologie-cim11-mms", "code": "PJ21"}, Class.SENS),
        *[
            ({"system": ICD_11, "code": code}, Class.SENS)
            for code in ("PD50", "PD9Z", "PE11", "PE95", "PF1B", "PF2Z", "QA04.51")
        ],
        ({"system": ICD_11, "code": "NA07.0/PE60&XE213"}, Class.SENS),
        *[({"system": ICD_11, "code": code}, Class(0)) for code in ("PD3Z", "PF40", "PJ40", "QE51.0", "PA00")],
        ({"code": "PEF"}, Class(0)),  # peak expiratory flow
        ({"system": ICD_11, "code": "BA00/6C40.1&XN1"}, Class.SENS),
        ({"system": "http://snomed.info/sct", "code": "243796009:246090004=86406008"}, Class.SENS),
        ({"system": ICD_11, "code": "6C4A.2"}, Class(0)),  # nicotine
        ({"system": ICD_11, "code": "CA22"}, Class(0)),
        ({"code": "J44.1"}, Class(0)),
        ({"code": "C09AA04"}, Class(0)),
        ({"code": "mmHg"}, Class(0)),
    ],
    ids=lambda given: (
        given.get("system", "none")[-20:] + " " + given["code"] if isinstance(given, dict) else str(given)
    ),
)
def test_a_code_without_a_system_an_expression_and_icd_11_are_known(coding: Tree, wanted: Class) -> None:
    for tree in ({"resourceType": "Condition", "code": {"coding": [coding]}},
                 {"resourceType": "Task", "input": [{"valueCoding": coding}]},
                 {"resourceType": "Communication", "reasonCode": [{"coding": [coding]}]}):  # fmt: skip
        assert classify(tree, {}).classes & (Class.SENS | Class.PSY) == wanted


@pytest.mark.parametrize(
    ("concept", "wanted"),
    [
        ({"text": "B20"}, Class.SENS),
        ({"text": "Maladie (F20.0)"}, Class.PSY),
        ({"text": "Infection à VIH"}, Class.SENS),
        ({"text": "ALCOOLO-DÉPENDANCE sévère"}, Class.SENS),
        ({"text": "Schizophrénie paranoïde"}, Class.PSY),
        ({"coding": [{"code": "12", "display": "Toxicomanie"}]}, Class.SENS),
        ({"coding": [{"system": "urn:local", "code": "12", "display": "Violences conjugales"}]}, Class.SENS),
        (
            {"coding": [{"system": "http://snomed.info/sct", "code": "31676001", "display": "HIV antigen test"}]},
            Class.SENS,
        ),
        ({"coding": [{"system": "urn:local", "code": "12"}], "text": "Méthadone 10 mg"}, Class.SENS),
        ({"coding": [{"display": "Infection par le VIH"}]}, Class.SENS),
        (
            {
                "coding": [
                    {
                        "system": "http://www.nlm.nih.gov/research/umls/rxnorm",
                        "code": "1999667",
                        "display": "Biktarvy 50 MG",
                    }
                ]
            },
            Class.SENS,
        ),
        ({"text": "BPCO, tabac 40 paquets-années"}, Class(0)),
        ({"text": "Stéatose hépatique non alcoolique"}, Class(0)),
        ({"text": "Prothèse bipolaire de hanche"}, Class(0)),
        ({"text": "Déficit en vitamine B12, T4 libre, HbA1c"}, Class(0)),
        ({"text": "Violet de gentiane"}, Class(0)),
        ({"text": "Viologène"}, Class(0)),
    ],
    ids=lambda given: str(given)[-40:],
)
def test_clinical_content_is_what_it_is_called(concept: Tree, wanted: Class) -> None:
    for tree in ({"resourceType": "Condition", "code": concept},
                 {"resourceType": "Observation", "valueCodeableConcept": concept},
                 {"resourceType": "Task", "contained": [{"resourceType": "Condition", "code": concept}]},
                 {"resourceType": "MedicationRequest", "medicationCodeableConcept": concept}):  # fmt: skip
        assert classify(tree, {}).classes & (Class.SENS | Class.PSY) == wanted


@pytest.mark.parametrize("type_", ["Task", "Communication", "Flag", "QuestionnaireResponse", "Appointment", "CareTeam"])
def test_the_words_of_a_message_or_an_alert_pass(type_: str) -> None:
    """« Le mot de l'aide passe toujours »: what is no clinical content is not closed, nor refused, for its words."""
    tree = {"resourceType": type_, "code": {"text": "Violences"}, "reasonCode": [{"text": "Alcoolisme"}]}
    if type_ == "QuestionnaireResponse":
        tree |= {"questionnaire": "https://liaison.example/fhir/Questionnaire/home-visit"}
    assert not classify(tree, {}).classes & (Class.SENS | Class.PSY)


def test_what_was_adopted_before_a_code_system_was_known_does_not_open_it() -> None:
    before = yaml.safe_load(packaged_text())
    before["besides"] = [rule for rule in before["besides"] if rule.get("system") != ICD_11]
    del before["words"]
    coded_11, said = coded(ICD_11, "1C62"), {"text": "Infection à VIH"}
    was = in_use()
    try:
        use(yaml.safe_dump(before, allow_unicode=True))
        for concept in (coded_11, said):
            assert classify({"resourceType": "Condition", "code": concept}, {}).classes & Class.SENS
    finally:
        use(was)


def test_so_is_a_label() -> None:
    tree: Tree = {"resourceType": "Condition", "meta": {"security": [{"system": CONFIDENTIALITY, "code": "R"}]}}
    assert classify(tree, {}).classes == Class.CLIN | Class.SENS
    tree["meta"]["security"] = [{"system": "urn:oid:2.16.840.1.113883.5.4", "code": "PSY"}]
    assert classify(tree, {}).classes == Class.CLIN | Class.PSY


@pytest.mark.parametrize("system", [ICD, LOINC, ATC, "http://snomed.info/sct", "urn:x:Local/", ""])
def test_what_is_named_by_its_uri_keeps_it(system: str) -> None:
    assert called(system) == system
