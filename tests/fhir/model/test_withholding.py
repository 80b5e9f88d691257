"""A resource without what it names of others: what is left is valid, and says it nowhere."""

from typing import Any

import pytest

from liaison.fhir.model.withholding import named_in, without

Tree = dict[str, Any]
WORDS = "VIH"
HIDDEN = "Observation/h"
TEXT = {"status": "generated", "div": f"<div>{WORDS}</div>"}
NAMED = {"reference": HIDDEN, "display": WORDS}
BASIC = {"resourceType": "Basic", "code": {"text": "x"}}

# By what is tried: what is stored, and what is left of it beside its type and tag.
SHAPES: dict[str, tuple[Tree, Tree]] = {
    "of several, the others stay": (
        {"resourceType": "Basic", "author": NAMED, "subject": {"reference": "Observation/o"}},
        {"subject": {"reference": "Observation/o"}},
    ),
    "of another server, and of a version": (
        {
            "resourceType": "CarePlan",
            "supportingInfo": [{"reference": f"https://x.example/fhir/{HIDDEN}/_history/2", "display": WORDS}],
        },
        {},
    ),
    "what may not be missing at the root is absent": (
        {"resourceType": "Provenance", "target": [NAMED]},
        {
            "target": [
                {
                    "extension": [
                        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}
                    ]
                }
            ]
        },
    ),
    "what may not be missing further in takes what holds it along": (
        {"resourceType": "Task", "input": [{"type": {"text": WORDS}, "valueReference": NAMED}]},
        {},
    ),
    "an extension is its value": (
        {"resourceType": "Basic", "extension": [{"url": "urn:x", "valueReference": NAMED}]},
        {},
    ),
    "a section of which nothing is left goes, with what is in it": (
        {
            "resourceType": "Composition",
            "section": [
                {"title": WORDS, "text": TEXT, "entry": [NAMED]},
                {"title": "other", "text": TEXT, "entry": [{"reference": "Observation/o"}]},
                {"title": WORDS, "section": [{"title": WORDS, "entry": [NAMED]}]},
            ],
        },
        {"section": [{"title": "other", "entry": [{"reference": "Observation/o"}]}]},
    ),
    "what refers to a contained resource that goes": (
        {
            "resourceType": "Basic",
            "contained": [{"resourceType": "Provenance", "id": "p", "target": [NAMED]}, {**BASIC, "id": "b"}],
            "extension": [
                {"url": "urn:x", "valueReference": {"reference": "#p", "display": WORDS}},
                {"url": "urn:x", "valueReference": {"reference": "#b"}},
            ],
        },
        {
            "contained": [{**BASIC, "id": "b"}],
            "extension": [{"url": "urn:x", "valueReference": {"reference": "#b"}}],
        },
    ),
    "a copy in a Bundle, by its address or by its id": (
        {
            "resourceType": "Bundle",
            "entry": [
                {"fullUrl": "urn:uuid:1", "resource": {**BASIC, "text": TEXT, "subject": NAMED}},
                {"fullUrl": f"https://x.example/fhir/{HIDDEN}", "resource": {**BASIC, "code": {"text": WORDS}}},
                {"resource": {"resourceType": "Observation", "id": "h", "code": {"text": WORDS}}},
                {"resource": {"resourceType": "Bundle", "entry": [{"fullUrl": HIDDEN, "resource": BASIC}]}},
            ],
        },
        {"entry": [{"fullUrl": "urn:uuid:1", "resource": BASIC}, {"resource": {"resourceType": "Bundle"}}]},
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_what_is_left(name: str) -> None:
    tree, left = SHAPES[name]
    assert HIDDEN in set(named_in(tree))

    cut = without({**tree, "text": TEXT} if tree["resourceType"] != "Bundle" else tree, {HIDDEN})

    assert {key: value for key, value in cut.items() if key not in ("resourceType", "meta")} == left
    assert cut["meta"]["tag"][0]["code"] == "SUBSETTED"
    assert WORDS not in str(cut)
    assert HIDDEN not in str(cut)
