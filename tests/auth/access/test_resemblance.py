"""Which two identities are proposed as doubles, and which are not."""

from typing import Any

import pytest

from liaison.auth.access.resemblance import likeness, pairs

from .arrivals import INS, traits

Tree = dict[str, Any]
OTHER_INS = [{"system": INS, "value": "147042A00400184"}]


def bare(**more: Any) -> Tree:
    return {name: value for name, value in traits(**more).items() if name != "identifier"}


MARRIED = bare(family="MARTIN")
USED = {
    **bare(),
    "name": [{"use": "official", "family": "LE GOFF", "given": ["Jeanne"]}, {"use": "usual", "family": "MARTIN"}],
}


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        pytest.param(traits(), "same-ins", id="one INS"),
        pytest.param(bare(), "same-traits", id="every trait"),
        pytest.param(bare(family="Le Goff", given="jeanne"), "same-traits", id="written otherwise"),
        pytest.param(bare(place=""), "same-traits", id="a birthplace that one lacks"),
        pytest.param(bare(birthDate="1948-02-03"), "alike", id="day and month turned round"),
        pytest.param(bare(birthDate="1949-03-02"), "alike", id="another year"),
        pytest.param(bare(birthDate="1950-07-02"), None, id="another date"),
        pytest.param(bare(given="Jeannine"), "alike", id="a first name written otherwise"),
        pytest.param(bare(given="Yvette"), None, id="a twin"),
        pytest.param(bare(family="LE GOF"), "alike", id="a name written otherwise"),
        pytest.param(bare(family="KERGOAT"), None, id="another name"),
        pytest.param(bare(gender="male"), None, id="another sex"),
        pytest.param(bare(given="Jeannine", place="29019"), None, id="a difference, and another birthplace"),
        pytest.param(bare(place="29019"), None, id="another birthplace"),
        pytest.param({**traits(), "identifier": OTHER_INS}, None, id="two INS"),
        pytest.param({**bare(), "birthDate": None}, None, id="no birth date"),
        pytest.param({**bare(), "link": [{"type": "replaced-by"}]}, None, id="merged already"),
    ],
)
def test_what_brings_two_identities_together(other: Tree, expected: str | None) -> None:
    assert likeness(traits(), other) == expected
    assert likeness(other, traits()) == expected


def test_the_name_in_use_may_be_taken_for_that_of_birth() -> None:
    assert likeness(USED, MARRIED) == "alike"
    assert likeness(bare(), MARRIED) is None


def test_every_pair_of_a_list_is_found_once_and_the_surest_come_first() -> None:
    people = [bare(given="Jeannine"), bare(family="KERGOAT"), traits(), bare(), traits(birthDate="1950-07-02")]

    assert pairs(people) == [(2, 4, "same-ins"), (2, 3, "same-traits"), (0, 2, "alike"), (0, 3, "alike")]
