"""Which representations are taken and given."""

import pytest

from liaison.fhir.errors import BadRequest, NotAcceptable, UnsupportedMedia
from liaison.services.api import negotiation
from liaison.services.api.negotiation import Wanted


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("", "application/fhir+json"),
        ("*/*", "application/fhir+json"),
        ("application/*", "application/fhir+json"),
        ("application/fhir+json", "application/fhir+json"),
        ("application/json", "application/json"),
        ("text/json", "text/json"),
        ("application/json+fhir", "application/fhir+json"),
        ("application/fhir+json; fhirVersion=4.0", "application/fhir+json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/fhir+json"),
        ("application/fhir+xml;q=0.5, application/fhir+json;q=0.1", "application/fhir+json"),
        ("application/json, application/fhir+json", "application/fhir+json"),
        ("application/json, application/fhir+json;q=0.9", "application/json"),
        ("application/fhir+json;q=0, */*", "application/json"),
        ("application/fhir+json;q=0, application/json;q=0, text/*", "text/json"),
        ("*/*;q=0.1, text/*;q=0.5", "text/json"),
        ("application/fhir+json; fhirVersion=5.0, application/json; fhirVersion=4.0", "application/json"),
    ],
)
def test_json_is_given_to_whoever_can_take_it(accept: str, media: str) -> None:
    assert negotiation.acceptable(accept) == media


@pytest.mark.parametrize(
    "accept",
    [
        "application/fhir+xml",
        "text/html",
        "application/fhir+json;q=0",
        "application/fhir+json;q=0.000, application/json;q=0, text/json;q=0, */*",
        "application/fhir+json;q=much",
        "*/*;q=0",
        "application/fhir+json; fhirVersion=5.0",
    ],
)
def test_who_cannot_take_json_is_told(accept: str) -> None:
    with pytest.raises(NotAcceptable):
        negotiation.acceptable(accept)


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("", ""),
        ("code=a|b&_count=2", "code=a|b&_count=2"),
        ("_format=json&code=a", "code=a"),
        ("_format=application/fhir+json&code=a", "code=a"),
        ("_pretty=true&code=a%26b", "code=a%26b"),
    ],
)
def test_the_format_is_taken_out_of_the_query(query: str, kept: str) -> None:
    assert negotiation.without_format(query, Wanted()) == kept


@pytest.mark.parametrize(
    ("query", "media", "laid_out"),
    [
        ("_format=json", "application/fhir+json", False),
        ("_format=application/json", "application/json", False),
        ("_format=application/fhir%2Bjson&_pretty=true", "application/fhir+json", True),
        ("_pretty=true", "application/fhir+json", True),
        ("_pretty=false", "application/fhir+json", False),
    ],
)
def test_what_the_query_says_of_the_answer_is_noted(query: str, media: str, laid_out: bool) -> None:
    wanted = Wanted()
    negotiation.without_format(query, wanted)
    assert (wanted.media, wanted.pretty) == (media, laid_out)


@pytest.mark.parametrize("query", ["_pretty=1", "_pretty=", "_pretty=True"])
def test_pretty_is_true_or_false(query: str) -> None:
    with pytest.raises(BadRequest):
        negotiation.without_format(query, Wanted())


@pytest.mark.parametrize(
    "query", ["_format=xml", "_format=application/fhir%2Bxml", "_format=", "_format=ttl", "_format=json&_format=xml"]
)
def test_another_format_is_refused(query: str) -> None:
    with pytest.raises(NotAcceptable):
        negotiation.without_format(query, Wanted())


@pytest.mark.parametrize("kind", ["application/fhir+json", "application/json; charset=UTF-8"])
def test_a_json_body_is_taken(kind: str) -> None:
    negotiation.json_body(kind)


@pytest.mark.parametrize(
    "kind",
    [
        "application/fhir+xml",
        "text/xml",
        "",
        "application/json; charset=latin-1",
        "application/fhir+json; fhirVersion=3.0",
    ],
)
def test_another_body_is_refused(kind: str) -> None:
    with pytest.raises(UnsupportedMedia):
        negotiation.json_body(kind)


def test_a_search_form_is_its_query() -> None:
    assert negotiation.form_body("application/x-www-form-urlencoded", b"code=a%7Cb") == "code=a%7Cb"


def test_a_search_in_another_form_is_refused() -> None:
    with pytest.raises(UnsupportedMedia):
        negotiation.form_body("application/json", b"{}")


def test_a_form_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(BadRequest):
        negotiation.form_body("application/x-www-form-urlencoded", b"name=\xff")
