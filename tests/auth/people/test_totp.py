"""One-time codes, against the vectors of the two standards."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.auth.people.totp import DRIFT, PERIOD, address, code_of, matching_step, step_of, typed

SECRET = b"12345678901234567890"
SEEDS = {"sha1": SECRET, "sha256": (SECRET * 2)[:32], "sha512": (SECRET * 4)[:64]}


@pytest.mark.parametrize(
    ("counter", "code"),
    list(
        enumerate(("755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"))
    ),
)
def test_the_vectors_of_rfc_4226(counter: int, code: str) -> None:
    assert code_of(SECRET, counter) == code


@pytest.mark.parametrize(
    ("seconds", "algorithm", "code"),
    [
        (59, "sha1", "94287082"),
        (59, "sha256", "46119246"),
        (59, "sha512", "90693936"),
        (1111111109, "sha1", "07081804"),
        (1111111109, "sha256", "68084774"),
        (1111111109, "sha512", "25091201"),
        (1111111111, "sha1", "14050471"),
        (1234567890, "sha1", "89005924"),
        (2000000000, "sha1", "69279037"),
        (20000000000, "sha1", "65353130"),
        (20000000000, "sha512", "47863826"),
    ],
)
def test_the_vectors_of_rfc_6238(seconds: int, algorithm: str, code: str) -> None:
    assert code_of(SEEDS[algorithm], step_of(seconds), digits=8, algorithm=algorithm) == code


@given(st.binary(min_size=20, max_size=20), st.integers(0, 2**33), st.integers(-5, 5))
def test_a_code_is_taken_within_the_drift_and_not_beyond(secret: bytes, seconds: int, steps: int) -> None:
    step = max(0, step_of(seconds) + steps)
    found = matching_step(secret, code_of(secret, step), seconds)

    if abs(step - step_of(seconds)) <= DRIFT:
        assert found is not None
    elif found is not None:  # two steps may share a code, once in 300,000
        assert code_of(secret, found) == code_of(secret, step)


@pytest.mark.parametrize("code", ["", "28708", "2870820", "28708a", "٢٨٧٠٨٢", "-28708", " 28708"])
def test_what_is_no_code_matches_nothing(code: str) -> None:
    assert matching_step(SECRET, code, PERIOD) is None


def test_an_app_is_told_who_and_where_in_the_picture_and_by_hand() -> None:
    assert typed(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
    told = address(SECRET, "Liaison liaison.test", "m.tanguy")
    assert told == (
        "otpauth://totp/Liaison%20liaison.test:m.tanguy"
        "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Liaison%20liaison.test"
    )
