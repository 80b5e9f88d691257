"""What a form states of a relative: measure, document seen, last day. A table of what is refused, and where it is said."""

from datetime import date
from typing import Any

import pytest

from liaison.auth.access import vocabulary
from liaison.services.pages.relatives.stating import NotStated, ended, relative

TODAY = date(2026, 11, 30)
ADULT = {"resourceType": "Patient", "id": "p", "birthDate": "1950-02-03"}
ROLE = "PractitionerRole/r"
FORM = {"family": "MAHO", "given": "Sylvain", "link": "CHILD"}
GUARDIAN = {**FORM, "measure": "tutelle", "seen": "2026-11-29", "until": "2031-06-30"}


def child(born: str) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p", "birthDate": born}


@pytest.mark.parametrize(
    ("form", "where"),
    [
        ({**FORM, "family": ""}, "family"),
        ({**FORM, "given": ""}, "given"),
        ({**FORM, "link": ""}, "link"),
        ({**FORM, "link": "ENEMY"}, "link"),
        ({**GUARDIAN, "measure": "curatelle"}, "measure"),
        ({**GUARDIAN, "seen": ""}, "seen"),
        ({**GUARDIAN, "seen": "hier"}, "seen"),
        ({**GUARDIAN, "seen": "2026-12-01"}, "seen"),
        ({**GUARDIAN, "seen": "0001-01-01"}, "seen"),
        ({**GUARDIAN, "seen": "2006-11-29"}, "seen"),
        ({**GUARDIAN, "until": ""}, "until"),
        ({**GUARDIAN, "until": "9999-12-31"}, "until"),
        ({**GUARDIAN, "until": "2046-11-29"}, "until"),
        ({**GUARDIAN, "until": "2026-11-29"}, "until"),
        ({**GUARDIAN, "measure": "parental-authority"}, "measure"),
    ],
    ids=str,
)
def test_what_is_missing_or_cannot_be_is_named(form: dict[str, str], where: str) -> None:
    with pytest.raises(NotStated) as refused:
        relative(ADULT, form, ROLE, TODAY)

    assert refused.value.field == where


def test_a_relative_who_represents_nobody_has_no_measure_and_no_end() -> None:
    tree = relative(ADULT, {**FORM, "measure": "none", "seen": "2026-11-29", "phone": "06 00 00 00 00"}, ROLE, TODAY)

    assert not {"extension", "period"} & set(tree)
    assert tree["telecom"] == [{"system": "phone", "value": "06 00 00 00 00"}]


def test_a_representation_says_who_saw_what_and_until_when() -> None:
    tree = relative(ADULT, GUARDIAN, ROLE, TODAY)

    (stated,) = tree["extension"]
    assert stated["url"] == vocabulary.REPRESENTATION
    assert [next(part for name, part in one.items() if name != "url") for one in stated["extension"]] == [
        "tutelle",
        {"reference": ROLE},
        "2026-11-29",
    ]
    assert tree["period"] == {"start": "2026-11-30", "end": "2031-06-30"}
    other = {"url": "https://example.org/other", "valueString": "kept"}
    assert not {"period", "extension"} & set(ended(tree))
    assert ended({**tree, "extension": [stated, other]})["extension"] == [other]


@pytest.mark.parametrize(
    ("born", "until", "last"),
    [
        ("2012-05-10", "", "2030-05-09"),
        ("2012-05-10", "2040-01-01", "2030-05-09"),
        ("2012-05-10", "2027-01-01", "2027-01-01"),
        ("2012-02-29", "", "2030-02-28"),
        ("2008-12-01", "", "2026-11-30"),
    ],
    ids=str,
)
def test_parental_authority_ends_before_the_child_is_of_age(born: str, until: str, last: str) -> None:
    form = {**GUARDIAN, "measure": "parental-authority", "until": until}

    assert relative(child(born), form, ROLE, TODAY)["period"]["end"] == last


@pytest.mark.parametrize("born", ["2008-11-30", "2008", ""], ids=["eighteen today", "year alone", "unknown"])
def test_parental_authority_needs_a_child_whose_age_is_known(born: str) -> None:
    with pytest.raises(NotStated) as refused:
        relative(child(born), {**GUARDIAN, "measure": "parental-authority"}, ROLE, TODAY)

    assert refused.value.field == "measure"
