import json
import time
from typing import Any

from liaison.fhir.model import references, referring, rewrite

BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "entry": [
        {"resource": {"resourceType": "Patient", "managingOrganization": {"reference": "Organization/1"}}},
        {
            "resource": {
                "resourceType": "Observation",
                "subject": {"reference": "urn:uuid:a", "display": "x"},
                "performer": [{"display": "no reference"}, {"reference": "#p"}],
                "contained": [{"resourceType": "Device", "id": "p", "patient": {"reference": "urn:uuid:a"}}],
                "extension": [{"url": "u", "valueReference": {"reference": "Device/2"}}],
            }
        },
        {"resource": {"resourceType": "DetectedIssue", "reference": "http://example.org/evidence"}},
        {"resource": {"resourceType": "Immunization", "education": [{"reference": "http://example.org/leaflet"}]}},
        {
            "resource": {
                "resourceType": "Basic",
                "extension": [{"valueExpression": {"language": "x", "reference": "u"}}],
            }
        },
        {"resource": {"resourceType": "Claim", "related": [{"reference": {"value": "an identifier"}}]}},
    ],
}


def test_every_reference_comes_with_its_path_in_document_order() -> None:
    assert [(path, node["reference"]) for path, node in references(BUNDLE)] == [
        ("Bundle.entry[0].resource.managingOrganization", "Organization/1"),
        ("Bundle.entry[1].resource.subject", "urn:uuid:a"),
        ("Bundle.entry[1].resource.performer[1]", "#p"),
        ("Bundle.entry[1].resource.contained[0].patient", "urn:uuid:a"),
        ("Bundle.entry[1].resource.extension[0].valueReference", "Device/2"),
    ]


def test_without_their_paths_they_are_the_same() -> None:
    one: Any = {"extension": [[{"reference": "a"}], {"education": [{"reference": "b"}], "c": {"reference": 1}}]}
    for tree in (BUNDLE, one, {"resourceType": "Basic", "subject": {"reference": "a", "resourceType": "Basic"}}):
        assert [id(node) for node in referring(tree)] == [id(node) for _, node in references(tree)]


def test_rewriting_changes_the_references_named_and_nothing_else() -> None:
    tree = json.loads(json.dumps(BUNDLE))

    assert (
        rewrite(tree, {"urn:uuid:a": "Patient/1", "http://example.org/evidence": "no", "Device/2": "Device/2"}.get) == 2
    )

    assert json.dumps(tree) == json.dumps(BUNDLE).replace("urn:uuid:a", "Patient/1")


def test_a_large_bundle_is_rewritten_in_little_time() -> None:
    tree = {"resourceType": "Bundle", "entry": json.loads(json.dumps(BUNDLE["entry"] * 800))}

    start = time.process_time()
    changed = rewrite(tree, {"urn:uuid:a": "Patient/1"}.get)

    assert changed == 1_600
    assert time.process_time() - start < 1
