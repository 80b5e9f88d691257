"""Which passwords are taken: long, and not what someone who guesses would come to."""

import pytest

from liaison.auth.people.passwords import SHORTEST, too_common, too_short


@pytest.mark.parametrize(
    "password",
    [
        "cheval exact pile agrafe",
        "la chèvre de monsieur seguin",
        "Zw3!kQ9p_tLm",
        "trois tasses et un peigne",
        "aaaa bbbb cccc dddd",
    ],
)
def test_a_sentence_of_ones_own_is_taken(password: str) -> None:
    assert not too_short(password)
    assert not too_common(password, "m.tanguy")


@pytest.mark.parametrize(
    "password",
    [
        "motdepasse123",
        "MotDePasse2026!",
        "Bonjour!!!!!!2024",
        "!!!Docteur2025!!!",
        "azertyuiopqs",
        "AZERTYUIOPqsdf",
        "qwertyuiop123",
        "abcdefghijklm",
        "012345678901",
        "aaaaaaaaaaaaa",
        "abcabcabcabc",
        "soleil-soleil-soleil",
        "271828182845",
        "maelle.tanguy1",
        "LiaisonSanté2026",
    ],
)
def test_what_is_tried_first_is_refused(password: str) -> None:
    assert len(password) >= SHORTEST
    assert too_common(password, "maelle.tanguy")


def test_length_is_counted_in_characters_and_nothing_else_is_demanded() -> None:
    assert too_short("x" * (SHORTEST - 1))
    assert not too_common("la mer est calme ce soir")  # no capital, no digit, no sign
