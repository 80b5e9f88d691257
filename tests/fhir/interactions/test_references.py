"""What a Reference names."""

import pytest

from liaison.fhir.interactions.references import Target, links, target

BASE = "https://liaison.example/fhir"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#p1", Target("contained", "", "#p1")),
        ("Patient/1a", Target("local", "Patient", "1a")),
        ("Patient/1a/_history/2", Target("local", "Patient", "1a", "/_history/2")),
        (f"{BASE}/Patient/1a", Target("local", "Patient", "1a")),
        ("Patient?identifier=a|b", Target("conditional", "Patient", "identifier=a|b")),
        (f"{BASE}/Patient?identifier=a|b", Target("conditional", "Patient", "identifier=a|b")),
        ("urn:uuid:1", Target("urn", "", "urn:uuid:1")),
        (
            "https://elsewhere.example/fhir/Patient/1",
            Target("elsewhere", "", "https://elsewhere.example/fhir/Patient/1"),
        ),
        ("Pateint/1a", None),
        ("Patient/" + "a" * 65, None),
        ("patient", None),
        ("", None),
        (f"{BASE}/nothing", None),
    ],
)
def test_a_reference_names_its_target(text: str, expected: Target | None) -> None:
    assert target(text, BASE) == expected


def test_links_are_found_where_r4_allows_them_and_nowhere_else() -> None:
    tree = {
        "resourceType": "DocumentReference",
        "identifier": [{"system": "urn:ietf:rfc:3986", "value": "urn:uuid:1"}],
        "content": [{"attachment": {"url": "urn:uuid:2"}}],
        "extension": [{"url": "http://x.example", "valueUri": "urn:uuid:3"}],
    }

    assert sorted(str(here[key]) for here, key in links(tree)) == ["urn:uuid:2", "urn:uuid:3"]
