"""Whether two names may be of one person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.auth.people import namesakes


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Anne-Laure Guillemot", "Anne-Laure Guillemot", True),
        ("Anne-Laure Guillemot", "GUILLEMOT anne laure", True),
        ("Anne-Laure Guillemot", "Anne Guillemot", True),
        ("Anne-Laure Guillemot", "A.-L. Guillemot", True),
        ("Anne-Laure Guillemot", "Guillemot-Kerbrat Anne-Laure", True),
        ("Gwenaëlle L’Hostis", "Gwenaelle L'hostis", True),
        ("Anne-Laure Guillemot", "Marie Guillemot", False),
        ("Anne-Laure Guillemot", "Anne-Laure Le Goff", False),
        ("Anne-Laure Guillemot", "Guillemot", False),
        ("Guillemot", "Guillemot", False),
        ("", "", False),
    ],
)
def test_names_are_alike_whatever_their_order_accents_and_case(one: str, other: str, alike: bool) -> None:
    assert namesakes.alike(one, other) is alike
    assert namesakes.alike(other, one) is alike


@given(st.permutations(["Anne", "Laure", "Guillemot"]), st.sampled_from([" ", "-", " - ", "’", "_"]))
def test_no_order_and_no_mark_between_words_makes_another_name(words: list[str], mark: str) -> None:
    assert namesakes.alike(mark.join(words).upper(), "Anne-Laure Guillemot")


def test_a_former_name_is_the_person_s_too() -> None:
    person = {
        "name": [
            {"use": "official", "family": "Le Goff", "given": ["Anne"]},
            {"use": "old", "family": "Guillemot", "given": ["Anne"]},
        ]
    }

    assert namesakes.may_be(person, "Anne Guillemot")
    assert not namesakes.may_be({}, "Anne Guillemot")
