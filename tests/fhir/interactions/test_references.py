"""What a Reference names."""

import pytest

from liaison.fhir.interactions.references import Target, root_of, target

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


@pytest.mark.parametrize(
    ("full_url", "root"),
    [
        ("https://x.example/fhir/Patient/1", "https://x.example/fhir/"),
        ("http://x.example/Patient/1", "http://x.example/"),
        ("https://x.example/fhir/Patient/1/_history/2", ""),
        ("https://x.example/fhir/nothing/1", ""),
        ("urn:uuid:1", ""),
        ("Patient/1", ""),
        ("", ""),
    ],
)
def test_a_restful_full_url_has_a_base(full_url: str, root: str) -> None:
    assert root_of(full_url) == root
