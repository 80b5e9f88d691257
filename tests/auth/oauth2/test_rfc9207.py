"""The address of an authorization response."""

import pytest

from liaison.auth.oauth2.rfc9207 import response_url

ISSUER = "https://liaison.example"


@pytest.mark.parametrize(
    ("uri", "url"),
    [
        ("https://a.example/cb", "https://a.example/cb?code=c&state=s+1&iss=https%3A%2F%2Fliaison.example"),
        ("https://a.example/cb?x=1", "https://a.example/cb?x=1&code=c&state=s+1&iss=https%3A%2F%2Fliaison.example"),
        ("fr.example.app:/cb", "fr.example.app:/cb?code=c&state=s+1&iss=https%3A%2F%2Fliaison.example"),
    ],
)
def test_it_names_its_issuer_and_returns_the_state(uri: str, url: str) -> None:
    assert response_url(uri, ISSUER, "s 1", {"code": "c"}) == url


def test_a_state_cannot_add_parameters() -> None:
    assert "&code=forged" not in response_url("https://a.example/cb", ISSUER, "x&code=forged", {"error": "e"})
