"""PKCE, with the vector of RFC 7636 appendix B."""

import pytest

from liaison.auth.oauth2.errors import InvalidGrant, InvalidRequest
from liaison.auth.oauth2.rfc7636 import challenge_of, check_challenge, check_verifier

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_vector_of_the_rfc() -> None:
    assert challenge_of(VERIFIER) == CHALLENGE
    check_challenge(CHALLENGE, "S256")
    check_verifier(VERIFIER, CHALLENGE)


@pytest.mark.parametrize("method", ["plain", "", "s256", "S512"])
def test_no_method_but_s256(method: str) -> None:
    with pytest.raises(InvalidRequest):
        check_challenge(CHALLENGE, method)


@pytest.mark.parametrize("verifier", ["", CHALLENGE, VERIFIER[:-1], VERIFIER + "é", VERIFIER + " ", "x" * 129])
def test_no_verifier_but_the_one(verifier: str) -> None:
    with pytest.raises(InvalidGrant):
        check_verifier(verifier, CHALLENGE)
