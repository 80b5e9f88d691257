"""Where something is said in a clinical content, it is heard: in whichever element, attachment or reference it stands."""

from base64 import b64encode
from typing import Any

import pytest

from liaison.auth.access.classes import Class
from liaison.auth.access.classify import classify, own_classes
from liaison.auth.access.prose import ELEMENTS, prose_in
from liaison.fhir.definitions import DIRECTORY_TYPES, RESOURCE_TYPES
from liaison.fhir.definitions.structures import elements

Tree = dict[str, Any]
SAID = "VIH positif"


def attached(text: str, kind: str | None, encoding: str = "utf-8") -> Tree:
    data = b64encode(text.encode(encoding)).decode()
    return {"data": data} if kind is None else {"contentType": kind, "data": data}


CLOSED: dict[str, Tree] = {
    "a reference to elsewhere": {"reasonReference": [{"reference": "https://ailleurs.example/Condition/9", "display": SAID}]},
    "a reference by a number": {"reasonReference": [{"identifier": {"value": "7"}, "display": SAID}]},
    "a reference to an entry": {"entry": [{"item": {"reference": "Condition/3", "display": SAID}}]},
    "a text": {"content": [{"attachment": attached(SAID, "text/plain")}]},
    "a text of its own letters": {"content": [{"attachment": attached("toxicomanie sevrée", "text/plain; charset=utf-16", "utf-16")}]},
    "a text in old letters": {"content": [{"attachment": attached("séropositivité", "text/plain", "cp1252")}]},
    "a page": {"presentedForm": [attached("<p>V<b>I</b>H positif</p>", "text/html")]},
    "a CDA document": {"content": [{"attachment": attached("<ClinicalDocument><text>VIH</text></ClinicalDocument>", "application/xml")}]},
    "a rich text": {"content": [{"attachment": attached(r"{\rtf1 s\'e9ropositif}", "application/rtf")}]},
    "what does not say what it is": {"content": [{"attachment": attached(SAID, None)}]},
    "a letter of another font": {"text": {"div": "<div><b>V</b>IH positif</div>"}},
    "what stands for a picture": {"text": {"div": "<div><img alt='VIH positif' src='#a'/></div>"}},
    "a relative": {"name": "père, VIH positif"},
    "a death": {"deceasedString": "mort du sida"},
    "an answered question": {"item": [{"linkId": "1", "text": "Êtes-vous séropositif ?", "answer": [{"valueBoolean": True}]}]},
    "a code of one's own": {"code": {"coding": [{"system": "urn:local", "code": "suivi-vih"}]}},
    "a unit": {"valueQuantity": {"value": 40, "unit": "copies de VIH/mL"}},
}  # fmt: skip
PASSING: dict[str, Tree] = {
    "somebody's name": {"performer": [{"type": "Practitioner", "display": "Dr Viol"}, {"reference": "PractitionerRole/1", "display": "Dr Viol"}]},
    "a picture": {"content": [{"attachment": {"contentType": "image/png", "data": b64encode(b"VIH").decode()}}]},
    "what is no text": {"content": [{"attachment": {"data": b64encode(b"\0VIH\0").decode()}}]},
    "what is not base64": {"content": [{"attachment": {"contentType": "text/plain", "data": "?"}}]},
    "a question": {"item": [{"linkId": "1", "text": "Violences ?"}]},
}  # fmt: skip


@pytest.mark.parametrize("where", CLOSED)
def test_it_is_heard_there(where: str) -> None:
    assert own_classes({"resourceType": "Basic", **CLOSED[where]}) & Class.SENS


@pytest.mark.parametrize("where", PASSING)
def test_it_is_not_what_somebody_says(where: str) -> None:
    assert own_classes({"resourceType": "Basic", **PASSING[where]}) == Class.CLIN


def test_a_binary_is_what_is_written_in_it_unless_it_hangs_on_what_passes() -> None:
    binary = {"resourceType": "Binary", "id": "b", **attached(SAID, "text/plain")}
    letter: Tree = {"resourceType": "DocumentReference", "content": [{"attachment": {"url": "Binary/b"}}]}
    note = {**letter, "type": {"coding": [{"code": "CONSIGNE"}]}}
    assert classify(binary, {}).classes & Class.SENS
    assert classify(binary, {"DocumentReference/1": letter}).classes == Class.CLIN | Class.SENS
    assert classify(binary, {"DocumentReference/1": note}).classes == Class.COORD


NO_SENTENCE = {
    "actualArm", "additiveProductName", "altId", "amountString", "allowedString", "assignedArm", "authorString", "brand",
    "businessArrangement", "cancelledReason", "carrierHRF", "cigar", "citation", "city", "color", "country", "criteria", "data",
    "datasetId", "dependent", "deviceIdentifier", "diagnostics", "display", "distinctIdentifier", "district", "doseNumberString",
    "error", "etag", "expression", "family", "genomeBuild", "given", "header", "id", "identityCertificate", "ifMatch", "ifNoneExist",
    "ifNoneMatch", "label", "line", "linkId", "location", "lotNumber", "manufacturer", "modelNumber", "network", "observedAllele",
    "observedSeq", "partNumber", "paymentTerms", "postalCode", "preAuthRef", "prefix", "productRelatedness", "proxyIdentityCertificate",
    "readsetId", "reference", "referenceAllele", "referenceSeqString", "relation", "serialNumber", "series", "seriesDosesString", "site",
    "software", "sourceIdentityCertificate", "state", "status", "subscriberId", "suffix", "targetLocation", "usedString", "value",
    "variantsetId", "version",
}  # fmt: skip
"""Elements of type string of what a record is made of that are names, numbers and addresses; `display` is looked at by where it
stands."""
DEFINING = {
    "ActivityDefinition", "CapabilityStatement", "ChargeItemDefinition", "CodeSystem", "CompartmentDefinition",
    "ConceptMap", "Contract", "DeviceDefinition", "EffectEvidenceSynthesis", "EventDefinition", "Evidence",
    "EvidenceVariable", "ExampleScenario", "GraphDefinition", "ImplementationGuide", "InsurancePlan", "Library", "Measure",
    "MedicationKnowledge", "MessageDefinition", "NamingSystem", "ObservationDefinition", "OperationDefinition",
    "PlanDefinition", "Questionnaire", "ResearchDefinition", "ResearchElementDefinition", "ResearchStudy",
    "RiskEvidenceSynthesis", "SearchParameter", "SpecimenDefinition", "StructureDefinition", "StructureMap",
    "SubstanceSpecification", "SubstanceSourceMaterial", "SubstanceReferenceInformation", "TerminologyCapabilities",
    "TestReport", "TestScript", "ValueSet", "CatalogEntry", "AuditEvent", "MolecularSequence", "SubstancePolymer",
    "SubstanceProtein", "SubstanceNucleicAcid",
}  # fmt: skip
"""Of nobody's record: definitions, the journal, and what is made of letters of a genome."""


def _words_of(type_: str, seen: set[str]) -> set[str]:
    if type_ in seen:
        return set()
    seen.add(type_)
    try:
        known = elements(type_)
    except KeyError:
        return set()
    found = set()
    for one in known.values():
        for kind in one.types:
            if kind.code in ("string", "markdown", "xhtml"):
                found.add(one.name + (kind.suffix if one.choice else ""))
            elif kind.code[:1].isupper() and kind.code != "Resource":
                found |= _words_of(kind.code, seen)
    return found


def test_each_text_of_r4_is_one_or_is_known_not_to_be() -> None:
    seen: set[str] = {"ElementDefinition", "DataRequirement", "ParameterDefinition"}
    types = [one for one in RESOURCE_TYPES - DIRECTORY_TYPES - DEFINING if not one.startswith("MedicinalProduct")]
    found = set().union(*(_words_of(one, seen) for one in types))
    assert found - ELEMENTS - NO_SENTENCE == set()
    assert list(prose_in({"x": [{"note": [{"text": "a"}]}, {"title": "b"}]})) == ["b", "a"]
