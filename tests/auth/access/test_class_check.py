"""What a classification may not do, and what it is said to change."""

import pytest

from liaison.auth.access import class_check
from liaison.auth.access.classify import packaged_text
from liaison.auth.access.table import packaged_text as table_text

PACKAGED = packaged_text()
OF_DATA = "https://liaison.example/fhir/CodeSystem/data-class"


def changed(old: str, new: str) -> str:
    assert PACKAGED.count(old) >= 1, old
    return PACKAGED.replace(old, new, 1)


def test_the_packaged_one_may_be_adopted_and_changes_nothing() -> None:
    assert class_check.is_one(PACKAGED)
    assert not class_check.is_one(table_text())
    assert class_check.refusals(PACKAGED) == []
    assert class_check.differences(PACKAGED, PACKAGED) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(changed("types:", "tpyes:"), "tpyes", id="a word"),
        pytest.param(changed("[Patient]", "[Patiant]"), "Patiant", id="a type"),
        pytest.param(changed("classes: [SENS]", "classes: [SNES]"), "SNES", id="a class"),
        pytest.param(changed("date: 2026-11-22", "date: demain"), "date", id="no day"),
        pytest.param(changed("TEAM: [CareTeam]", "TEAM: [CareTeam]\n  TEAM: []"), "deux fois", id="twice"),
        pytest.param(changed("types:\n", "types: &x\n") + "\nother: *x\n", "renvoi", id="an alias"),
        pytest.param("types: [", "YAML", id="no YAML"),
        pytest.param(changed("fixed: [Patient, CareTeam,", "fixed: [Patient,"), "CareTeam manque", id="a fixed type"),
        pytest.param(
            changed("  TEAM: [CareTeam]\n  APPT: [", "  APPT: [CareTeam, "), "CareTeam reste TEAM", id="a fixed class"
        ),
        pytest.param(
            changed("TEAM: [CareTeam]", "TEAM: [CareTeam]\n  SOC: [Condition]"), "Condition est du soin", id="care"
        ),
        pytest.param(changed("  - classes: [AUD]", "  - classes: [COORD]"), "tels qu'ils sont livrés", id="the review list"),
        pytest.param(
            changed("codes: [protection, suspected-abuse]", "codes: [protection]"), "tels qu'ils sont livrés", id="abuse"
        ),
        pytest.param(
            changed("besides:\n", 'besides:\n  - classes: [SOC]\n    in: [code]\n    codes: ["*"]\n'),
            "vaut pour tout",
            id="everything",
        ),
        pytest.param(
            changed("adds: [PSY, SENS, MINOR, NOTE3P, PROT, HELD]", "adds: [PSY, SENS, MINOR, NOTE3P, HELD]"),
            "PROT (" + OF_DATA,
            id="a label of abuse",
        ),
        pytest.param(
            changed("replaces: [COORD,", "replaces: [PROCHES, COORD,"), "une étiquette ajoute", id="a label that opens"
        ),
        pytest.param(
            changed("MASQUE_PS: MASKED, ", ""), "MASQUE_PS", id="a masking"
        ),
        pytest.param(changed("psychiatrists: [SM33, SM42, SM43, SM60, SM61]", "psychiatrists: []"), "psychiatr", id="nobody"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, said: str) -> None:
    found = class_check.refusals(text)
    assert any(said in one for one in found), found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            changed('"B20*", "B21*"', '"Q90*", "B20*", "B21*"'),
            ["plus fermé : besides, Q90* (http://hl7.org/fhir/sid/icd-10, tout type, code reasonCode) devient SENS"],
            id="more is sensitive",
        ),
        pytest.param(
            changed('"B20*", "B21*"', '"B21*"'),
            [
                "moins fermé : besides, B20* (http://hl7.org/fhir/sid/icd-10, tout type, code reasonCode) n'est plus SENS"
            ],
            id="less is sensitive",
        ),
        pytest.param(
            changed("LAB: [Specimen,", "LAB: [Procedure, Specimen,"),
            ["change : Procedure était CLIN, devient LAB"],
            id="a type",
        ),
        pytest.param(
            changed("SM43, SM60, SM61]", "SM43, SM60]"), ["moins fermé : psychiatrists, SM61"], id="a specialty"
        ),
        pytest.param(
            changed("GDIS: SENS, ", ""),
            ["moins fermé : labels, GDIS (http://terminology.hl7.org/CodeSystem/v3-ActCode) ajoute SENS"],
            id="a label",
        ),
    ],
)
def test_what_is_said_and_may_be_adopted(text: str, said: list[str]) -> None:
    assert class_check.differences(PACKAGED, text) == said
    assert class_check.refusals(text) == []
