import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.fhir.vault import NotAuthentic, PatientKey, context

DATA_KEY, OTHER_KEY = os.urandom(32), os.urandom(32)
BODY = b'{"resourceType":"Observation","valueQuantity":{"value":72.50}}'
HERE = context("record", "Observation", "an-id", 1)


@given(st.binary(max_size=5000), st.binary(max_size=50))
def test_what_is_sealed_opens_to_the_same_bytes(plain: bytes, bound_to: bytes) -> None:
    assert PatientKey(1, DATA_KEY).open(bound_to, PatientKey(1, DATA_KEY).seal(bound_to, plain)) == plain


def test_sealing_twice_gives_unrelated_bytes() -> None:
    key = PatientKey(1, DATA_KEY)
    first, second = key.seal(HERE, BODY), key.seal(HERE, BODY)
    assert first[1:17] != second[1:17] and first[17:] != second[17:]


@pytest.mark.parametrize(
    "elsewhere",
    [
        context("record", "Observation", "other-id", 1),
        context("record", "Observation", "an-id", 2),
        context("record", "Condition", "an-id", 1),
        context("journal", "Observation", "an-id", 1),
        context("record", "Observationan", "-id", 1),
    ],
)
def test_a_row_moved_elsewhere_does_not_open(elsewhere: bytes) -> None:
    sealed = PatientKey(1, DATA_KEY).seal(HERE, BODY)

    with pytest.raises(NotAuthentic):
        PatientKey(1, DATA_KEY).open(elsewhere, sealed)


@pytest.mark.parametrize("key", [PatientKey(2, DATA_KEY), PatientKey(1, OTHER_KEY)], ids=["patient", "key"])
def test_the_row_of_another_patient_does_not_open(key: PatientKey) -> None:
    sealed = PatientKey(1, DATA_KEY).seal(HERE, BODY)

    with pytest.raises(NotAuthentic):
        key.open(HERE, sealed)


def test_no_byte_of_a_sealed_value_can_be_changed() -> None:
    key = PatientKey(1, DATA_KEY)
    sealed = key.seal(HERE, BODY)

    for at in range(len(sealed)):
        changed = bytearray(sealed)
        changed[at] ^= 1
        with pytest.raises(NotAuthentic):
            key.open(HERE, bytes(changed))
    for length in range(0, len(sealed), 7):
        with pytest.raises(NotAuthentic):
            key.open(HERE, sealed[:length])


def test_the_fault_these_tests_look_for_can_be_planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that binds to nothing: the tests above must be able to see it."""
    sealed = PatientKey(1, DATA_KEY).seal(b"", BODY)
    careless = PatientKey(1, DATA_KEY)
    honest_open = PatientKey.open
    monkeypatch.setattr(PatientKey, "open", lambda self, _, value: honest_open(self, b"", value))

    assert careless.open(context("record", "Observation", "other-id", 1), sealed) == BODY


@given(st.lists(st.one_of(st.integers(-(2**63), 2**63 - 1), st.text(max_size=5), st.binary(max_size=5)), max_size=4))
def test_contexts_of_different_parts_differ(parts: list[int | str | bytes]) -> None:
    assert context(*parts) != context(*parts, "")
    if len(parts) > 1 and isinstance(parts[0], str) and isinstance(parts[1], str):
        assert context(*parts) != context(parts[0] + parts[1], *parts[2:])


def test_equal_values_have_equal_tokens_within_a_patient_only() -> None:
    one, same, other = PatientKey(1, DATA_KEY), PatientKey(1, DATA_KEY), PatientKey(2, OTHER_KEY)
    assert one.token(5, b"code") == same.token(5, b"code")
    assert one.token(5, b"code") != other.token(5, b"code")
    assert one.token(5, b"code") != one.token(6, b"code") != one.token(6, b"Code")
    assert -(2**63) <= one.token(5, b"code") < 2**63


def test_a_key_shows_nothing_of_itself() -> None:
    assert repr(PatientKey(7, DATA_KEY)) == "PatientKey(7)"
