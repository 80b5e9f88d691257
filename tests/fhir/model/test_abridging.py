"""What is left of a resource for those who look after records without reading them: codes, dates and numbers."""

import json

from liaison.fhir.model import read, validate
from liaison.fhir.model.abridging import abridged

ABSENT = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]}
ROLE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]}
SAID = {"url": "urn:said", "valueString": "SECRET"}
TREE = {
    "resourceType": "Consent", "id": "x", "meta": {"versionId": "1", "extension": [SAID]}, "extension": [SAID],
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">SECRET</div>'},
    "contained": [{"resourceType": "RelatedPerson", "id": "p", "name": [{"text": "SECRET"}], "patient": {"display": "SECRET"}}],
    "status": "active", "_status": {"extension": [SAID]},
    "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
    "category": [{"text": "kept"}],
    "patient": {"reference": "Patient/1", "display": "SECRET", "identifier": {"value": "SECRET"}},
    "performer": [{"display": "SECRET"}, {"reference": "#p", "display": "SECRET"},
                  {"reference": "https://x.example/fhir/RelatedPerson/3", "display": "SECRET"},
                  {"reference": "PractitionerRole/2/_history/1", "display": "kept"}],
    "sourceAttachment": {"title": "SECRET"}, "policyRule": {"text": "kept"},
    "verification": [{"verified": True, "verifiedWith": {"reference": "Patient/1", "display": "SECRET"}}],
    "provision": {"type": "permit", "period": {"start": "2026-01-01"}, "provision": [
        {"type": "deny", "actor": [{"role": ROLE, "reference": {"display": "SECRET"}}]}]},
}  # fmt: skip


def test_no_name_and_no_content_is_left_and_it_is_valid() -> None:
    left = abridged(read(json.dumps(TREE).encode()))

    text = json.dumps(left)
    assert "SECRET" not in text
    assert text.count("kept") == 3
    assert left["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert [left["patient"], *left["performer"][:2]] == [{"reference": "Patient/1"}, ABSENT, ABSENT]
    assert left["provision"]["provision"][0]["actor"] == [{"role": ROLE, "reference": ABSENT}]
    assert left["provision"]["period"] == {"start": "2026-01-01"}
    validate(left, "Consent")
