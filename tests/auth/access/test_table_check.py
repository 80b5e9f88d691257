"""What `liaison rules check` says of a table that is not the packaged one."""

from importlib import resources

import pytest

from liaison.auth.access.table import packaged, parse
from liaison.auth.access.table_check import missing, problems, wider

TEXT = resources.files("liaison.auth.access").joinpath("rules.yaml").read_text("utf-8")


def test_the_packaged_table_has_no_problem_and_is_not_wider_than_itself() -> None:
    assert problems(TEXT) == []
    assert missing(packaged(), parse(TEXT)) == []
    assert wider(packaged(), parse(TEXT)) == []


def test_every_problem_is_named_with_its_line() -> None:
    wrong = TEXT.replace("relations: [call]", "relations: [neighbour]", 1).replace("purpose: PATRQT", "purpose: FUN", 1)
    found = problems(wrong)
    lines = [number for number, line in enumerate(wrong.splitlines(), 1) if "neighbour" in line or "FUN" in line]
    assert [int(one.split()[1]) + 1 + ("FUN" in one) for one in found] == lines
    assert "NEIGHBOUR" in found[0]


@pytest.mark.parametrize("text", ["a: [", "rows", "{}", "rows: {}", "version: 1\ndate: 2026-01-01\nrows: [x]"])
def test_what_is_no_table_is_a_problem(text: str) -> None:
    assert problems(text)


def test_a_row_that_is_not_there_is_named() -> None:
    assert missing(packaged(), parse(TEXT.replace('row: "26c"', 'row: "29"'))) == ["26c"]


@pytest.mark.parametrize(
    ("word", "other", "said"),
    [
        ("read: [MEDS, ALLERGY, LAB, ETP]", "read: [MEDS, ALLERGY, LAB, ETP, PSY]", "pharmacist, team, all : lit aussi PSY"),
        ("write: [MEDS, ALLERGY, ETP]", "write: [MEDS, ALLERGY, ETP, LAB]", "pharmacist, team, all : écrit aussi LAB"),
        ("limit: [SENS, MINOR, MASKED]", "limit: [SENS, MASKED]", "trainee, deleg, all : lit aussi MINOR"),
        ("within: [ADM, SOC, COORD, CLINSOC]", "within: [ADM, SOC, COORD, CLINSOC, SENS]",
         "social-worker, consent, all : lit aussi SENS"),
        ("when: [informed]\n        read: [SOC]", "when: []\n        read: [SOC]", "gp, team, all : lit aussi SOC"),
        ("      - QuestionnaireResponse\n", "      - QuestionnaireResponse\n      - Goal\n", "home-aide : écrit aussi Goal"),
    ],
)  # fmt: skip
def test_a_right_that_is_wider_is_named(word: str, other: str, said: str) -> None:
    assert word in TEXT
    assert any(one.startswith(said) for one in wider(packaged(), parse(TEXT.replace(word, other, 1))))


def test_a_narrower_table_is_not_wider() -> None:
    assert wider(packaged(), parse(TEXT.replace("read: [MEDS, ALLERGY, LAB, ETP]", "read: [MEDS]"))) == []
