"""Where a resource may name an entry of its Bundle without a Reference, by the types that R4 gives its elements."""

from typing import Any

import pytest

from liaison.fhir.interactions.links import Urns, links, relinked

NAMED = {"urn:uuid:1", "https://x.example/fhir/Binary/1", "https://x.example/fhir/StructureDefinition/p"}
URN, HTTP = "urn:uuid:1", "https://x.example/fhir/Binary/1"


def found(tree: dict[str, Any]) -> list[str]:
    return [link.text for link in links(tree, NAMED)]


@pytest.mark.parametrize("text", [URN, HTTP, f"{URN}#page"])
@pytest.mark.parametrize(
    "tree",
    [
        {"resourceType": "DocumentReference", "content": [{"attachment": {"url": "LINK"}}]},
        {"resourceType": "Patient", "photo": [{"url": "LINK"}]},
        {"resourceType": "Observation", "extension": [{"url": "http://x", "valueUri": "LINK"}]},
        {"resourceType": "Observation", "extension": [{"url": "http://x", "valueUrl": "LINK"}]},
        {"resourceType": "Patient", "_birthDate": {"extension": [{"url": "http://x", "valueUri": "LINK"}]}},
        {"resourceType": "CarePlan", "instantiatesUri": ["http://other", "LINK"]},
        {"resourceType": "CarePlan", "contained": [{"resourceType": "Patient", "photo": [{"url": "LINK"}]}]},
        {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "photo": [{"url": "LINK"}]}}]},
        {"resourceType": "Observation", "meta": {"source": "LINK"}},
    ],
)
def test_elements_that_lead_somewhere_are_links(tree: dict[str, Any], text: str) -> None:
    def filled(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: filled(value) for key, value in node.items()}
        if isinstance(node, list):
            return [filled(value) for value in node]
        return text if node == "LINK" else node

    assert found(filled(tree)) == [text.partition("#")[0]]


@pytest.mark.parametrize(
    "tree",
    [
        {"resourceType": "DocumentReference", "identifier": [{"system": "urn:ietf:rfc:3986", "value": URN}]},
        {"resourceType": "CarePlan", "instantiatesCanonical": [URN, HTTP]},
        {"resourceType": "Observation", "extension": [{"url": "http://x", "valueCanonical": URN}]},
        {"resourceType": "Observation", "extension": [{"url": "http://x", "valueString": HTTP}]},
        {"resourceType": "Observation", "valueString": URN},
        {"resourceType": "Observation", "meta": {"profile": [URN]}},
        {"resourceType": "Observation", "subject": {"reference": URN, "display": URN}},
        {"resourceType": "Nonsense", "url": URN},
        {"resourceType": "Observation", "text": {"status": "generated", "div": f"<div>{URN}</div>"}},
    ],
)
def test_other_elements_are_none_even_when_they_say_the_same(tree: dict[str, Any]) -> None:
    assert found(tree) == []


def test_a_name_that_is_an_http_address_stays_a_name() -> None:
    profile = "https://x.example/fhir/StructureDefinition/p"
    tree = {
        "resourceType": "StructureDefinition",
        "url": profile,
        "identifier": [{"system": profile}],
        "extension": [{"url": profile, "valueUri": profile}],
    }

    assert [(link.key, link.text) for link in links(tree, NAMED)] == [("valueUri", profile)]


def test_a_narrative_leads_where_its_anchors_do() -> None:
    div = f'<div><a href="{URN}">a</a> <a title="b" href=\'{HTTP}#p&amp;q\'>b</a> <a href="{URN}">c</a></div>'
    tree: dict[str, Any] = {"resourceType": "Observation", "text": {"status": "generated", "div": div}}
    first, second = links(tree, NAMED)
    assert (first.text, second.text, first.within, second.within) == (URN, HTTP, True, True)

    for link in (first, second):
        link.here[link.key] = relinked(link.here[link.key], link, f"Binary/{link.text[-1]}")

    assert tree["text"]["div"] == (
        '<div><a href="Binary/1">a</a> <a title="b" href="Binary/1#p&amp;q">b</a> <a href="Binary/1">c</a></div>'
    )


def test_any_urn_may_name_an_entry() -> None:
    tree = {"resourceType": "Patient", "photo": [{"url": "urn:uuid:anything"}, {"url": HTTP}]}

    assert [link.text for link in links(tree, Urns())] == ["urn:uuid:anything"]
