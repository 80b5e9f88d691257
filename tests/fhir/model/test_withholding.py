"""A resource without what it names of others: what is left is valid, and says it nowhere."""

from typing import Any

import pytest

from liaison.fhir.model.withholding import named_in, taken, without

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
    "in an extension of a primitive, and of one of several": (
        {
            "resourceType": "CarePlan",
            "_status": {"id": "s", "extension": [{"url": "urn:x", "valueReference": NAMED}]},
            "status": "active",
            "intent": "plan",
            "_intent": {"extension": [{"url": "urn:x", "valueReference": NAMED}]},
            "instantiatesUri": ["urn:1", "urn:2", "urn:3"],
            "_instantiatesUri": [
                None,
                {"extension": [{"url": "urn:x", "valueReference": NAMED}]},
                {"extension": [{"url": "urn:x", "valueCode": "y"}]},
            ],
        },
        {
            "_status": {"id": "s"},
            "status": "active",
            "intent": "plan",
            "instantiatesUri": ["urn:1", "urn:2", "urn:3"],
            "_instantiatesUri": [None, None, {"extension": [{"url": "urn:x", "valueCode": "y"}]}],
        },
    ),
    "of primitives, each at its place": (
        {
            "resourceType": "CarePlan",
            "instantiatesUri": [HIDDEN, "urn:2", None],
            "_instantiatesUri": [
                {"extension": [{"url": "urn:x", "valueString": WORDS}]},
                None,
                {"extension": [{"url": "urn:x", "valueReference": NAMED}, {"url": "urn:x", "valueCode": "y"}]},
            ],
            "instantiatesCanonical": [f"https://x.example/fhir/{HIDDEN}|1", "urn:4"],
        },
        {
            "instantiatesUri": ["urn:2", None],
            "_instantiatesUri": [None, {"extension": [{"url": "urn:x", "valueCode": "y"}]}],
            "instantiatesCanonical": ["urn:4"],
        },
    ),
    "an attachment of which it is the address": (
        {
            "resourceType": "Communication",
            "payload": [
                {"contentAttachment": {"url": f"{HIDDEN}?_format=json", "title": WORDS, "data": "eA=="}},
                {"contentAttachment": {"url": "Binary/o", "title": "other"}},
            ],
        },
        {"payload": [{"contentAttachment": {"url": "Binary/o", "title": "other"}}]},
    ),
    "an attachment that may not be missing": (
        {"resourceType": "DocumentReference", "content": [{"attachment": {"url": HIDDEN, "title": WORDS}}]},
        {
            "content": [
                {
                    "extension": [
                        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}
                    ]
                }
            ]
        },
    ),
    "a uri, a url and a string that are its address": (
        {
            "resourceType": "Task",
            "instantiatesUri": f"https://x.example/fhir/{HIDDEN}/_history/2",
            "description": f" {HIDDEN} ",
            "input": [
                {"type": {"text": WORDS}, "valueUri": f"https://x.example/fhir/{HIDDEN}"},
                {"type": {"text": WORDS}, "valueUrl": "https://x.example/fhir/Observation%2Fh"},
                {"type": {"text": WORDS}, "valueString": f"https://x.example/Patient/{HIDDEN}"},
                {"type": {"text": WORDS}, "valueCanonical": f"{HIDDEN}#part"},
                {"type": {"text": "other"}, "valueUri": "https://x.example/fhir/Observation/o"},
            ],
        },
        {"input": [{"type": {"text": "other"}, "valueUri": "https://x.example/fhir/Observation/o"}]},
    ),
    "what an identifier, a code or a citation says beside its address": (
        {
            "resourceType": "Basic",
            "identifier": [{"system": "urn:x", "value": HIDDEN, "type": {"text": WORDS}}, {"value": "1"}],
            "subject": {"identifier": {"value": HIDDEN}, "display": WORDS},
            "extension": [
                {"url": "urn:x", "valueRelatedArtifact": {"type": "citation", "label": WORDS, "url": HIDDEN}},
                {"url": "urn:x", "valueCoding": {"system": HIDDEN, "code": "1", "display": WORDS}},
                {"url": "urn:x", "valueCoding": {"code": "2"}},
            ],
        },
        {"identifier": [{"value": "1"}], "extension": [{"url": "urn:x", "valueCoding": {"code": "2"}}]},
    ),
    "a text that may not be missing at the root": (
        {"resourceType": "Composition", "title": HIDDEN, "_title": {"id": WORDS}},
        {
            "_title": {
                "extension": [
                    {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}
                ]
            }
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


@pytest.mark.parametrize("name", SHAPES)
def test_what_is_taken_is_all_that_names_it(name: str) -> None:
    """A patch that changes it otherwise than its sender sees is recognised by this."""
    tree, left = SHAPES[name]

    assert all(WORDS in str(one) or HIDDEN in str(one) for one in taken(tree, {HIDDEN}))
    assert taken(tree, {HIDDEN})
    assert taken({"resourceType": tree["resourceType"], **left}, {HIDDEN}) == []


@pytest.mark.parametrize(
    "text",
    ["Observation/h2", "Observation/hh", "MyObservation/h", "see Observation/h of Monday", "urn:uuid:h", "Observation"],
)
def test_what_is_another_address_or_words_stays(text: str) -> None:
    """Free text is not looked at."""
    tree = {"resourceType": "Task", "description": text}

    assert HIDDEN not in set(named_in(tree))
    assert without(tree, {HIDDEN})["description"] == text
