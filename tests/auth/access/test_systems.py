"""A code is as sensitive by each name of its code system: CDA has OIDs, countries have editions, some write small letters."""

import pytest

from liaison.auth.access.classes import Class
from liaison.auth.access.classify import classify
from liaison.auth.access.systems import called

from .test_classify import ATC, ICD, LOINC, Tree, coded

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


def test_so_is_a_label() -> None:
    tree: Tree = {"resourceType": "Condition", "meta": {"security": [{"system": CONFIDENTIALITY, "code": "R"}]}}
    assert classify(tree, {}).classes == Class.CLIN | Class.SENS
    tree["meta"]["security"] = [{"system": "urn:oid:2.16.840.1.113883.5.4", "code": "PSY"}]
    assert classify(tree, {}).classes == Class.CLIN | Class.PSY


@pytest.mark.parametrize("system", [ICD, LOINC, ATC, "http://snomed.info/sct", "urn:x:Local/", ""])
def test_what_is_named_by_its_uri_keeps_it(system: str) -> None:
    assert called(system) == system
