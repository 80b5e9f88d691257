"""What a classification may not do, and what it is said to change."""

import pytest

from liaison.auth.access import class_check
from liaison.auth.access.class_text import packaged_text
from liaison.auth.access.table import packaged_text as table_text

PACKAGED = packaged_text()
OF_DATA = "https://liaison.example/fhir/CodeSystem/data-class"


def changed(old: str, new: str) -> str:
    assert PACKAGED.count(old) >= 1, old
    return PACKAGED.replace(old, new, 1)


ICD = "http://hl7.org/fhir/sid/icd-10"
VITAL = "  - classes: [VITAL]\n"  # the first rule after those that come first


def ruled(classes: str, *lines: str, section: str = "instead", before: str = VITAL) -> str:
    """With one more rule; of `besides`, the first."""
    rule = "\n    ".join((f"  - classes: [{classes}]", *lines)) + "\n"
    return changed("besides:\n", "besides:\n" + rule) if section == "besides" else changed(before, rule + before)


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
        pytest.param(changed("codes: [51848-0]", "codes: [51848]"), "[51848]", id="a number that is no code"),
        pytest.param(changed("words: [", "words: [5, "), "[5, ", id="a number that is no word"),
        pytest.param(changed("restricted: [R, V]", "restricted: RV"), "'RV'", id="no list"),
        pytest.param(changed("words: [vih,", "words: [Vih,"), "['Vih']", id="a word with a capital"),
        pytest.param(changed("words: [vih, hiv,", "words: [vih,"), "hiv reste SENS", id="a word that is gone"),
        pytest.param(
            changed("    words: [vih, hiv,", "    prose: false\n    words: [vih, hiv,"), "vih, hiv", id="a word that counts no longer in a sentence"
        ),
        pytest.param(changed("    unless: [hta,", "    unless: [toux, hta,"), "tritherapi* reste SENS", id="a word that counts less often"),
        pytest.param(changed("    unless: [hta,", "    unless: [HTA,"), "['HTA']", id="another meaning in capitals"),
        pytest.param(changed("    prose: false", "    prose: 1"), "prose is true or false", id="a prose that is neither"),
        pytest.param(
            changed("words: [vih,", "words: [asthme]\n  - classes: [COORD]\n    words: [vih,"), "un mot ferme", id="a word that opens"
        ),
        pytest.param(
            changed("system: https://liaison.example/fhir/CodeSystem/visibility", "system: 5"), "[5]", id="no system"
        ),
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
            changed("LAB: [Specimen,", "LAB: [Procedure, Specimen,"),
            ["change : Procedure était CLIN, devient LAB"],
            id="a type",
        ),
        pytest.param(
            changed('"B20*", "B21*", "B22*"', '"B2*"'),
            [
                f"plus fermé : besides, B2* ({ICD}, tout type, code reasonCode) devient SENS",
                *(
                    f"change : besides, B2{n}* ({ICD}, tout type, code reasonCode) est SENS par une autre règle"
                    for n in (0, 1, 2)
                ),
            ],
            id="a wider code",
        ),
        pytest.param(
            ruled("SENS", "types: [Condition]", "in: [code]", f"system: {ICD}", 'codes: ["*"]'),
            [f"change : instead, * ({ICD}, Condition, code) devient SENS"],
            id="a sensitive result",
        ),
        pytest.param(
            changed("restricted: [R, V]", "restricted: [N, R, V]"), ["plus fermé : restricted, N"], id="more restricted"
        ),
        pytest.param(
            changed('words: ["drogue*"]', 'words: ["drogue*", zona]'),
            ["plus fermé : words, « zona » devient SENS, sauf avec vasoactiv*, inotrop*, drogues cardiotoniques"],
            id="a word with another meaning",
        ),
        pytest.param(
            changed("words: [vih,", "words: [hepatite, vih,"),
            ["plus fermé : words, « hepatite » devient SENS"],
            id="a word",
        ),
        pytest.param(
            ruled("SAFETY", "types: [Flag]", "in: [category]", "codes: [clés]", before="besides:\n"),
            ["change : instead, clés (Flag, category) devient SAFETY"],
            id="coordination among itself",
        ),
    ],
)
def test_what_is_said_and_may_be_adopted(text: str, said: list[str]) -> None:
    assert class_check.differences(PACKAGED, text) == said
    assert class_check.refusals(text) == []


CODES = 'codes: ["0*", "1*", "2*", "3*", "4*", "5*", "6*", "7*", "8*", "9*"]'
AIDES = ("types: [Condition]", "in: [code]", f"system: {ICD}", 'codes: ["*"]')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(ruled("SAFETY", *AIDES), "Condition (CLIN), codes * : ne devient pas SAFETY", id="every diagnosis"),
        pytest.param(ruled("VITAL", *AIDES), "ne devient pas VITAL", id="every diagnosis a measure"),
        pytest.param(ruled("MINOR", *AIDES), "ne devient pas MINOR", id="what is added alone"),
        pytest.param(ruled("AUD", *AIDES), "ne devient pas AUD", id="to the auditors"),
        pytest.param(
            ruled("COORD", "types: [Observation]", "in: [code]", "system: http://loinc.org", "codes: [718-7]"),
            "Observation (",
            id="one code",
        ),
        pytest.param(
            ruled("COORD", "types: [MedicationRequest]", "in: [code]", CODES), "MedicationRequest (MEDS)", id="by prefixes"
        ),
        pytest.param(ruled("COORD", "in: [code]", CODES), "ne devient pas COORD", id="of every type"),
        pytest.param(
            ruled("COORD", "types: [CarePlan]", "in: [category]", "codes: [ppcs]"),
            "CarePlan (SYNTH, HOMEPLAN)",
            id="before a rule of care",
        ),
        pytest.param(changed("    codes: [ppcs]", "    codes: [zzz]"), "SYNTH livrée (ppcs) manque", id="no rule of care"),
        pytest.param(
            changed("types: [Observation]\n    in: [category]", "types: [Observation]\n    in: [code]"),
            "VITAL livrée (vital-signs) manque",
            id="a rule that looks elsewhere",
        ),
        pytest.param(
            changed("    in: [questionnaire, type, code, category]\n    codes: [", '    in: [code]\n    codes: ["8*", '),
            "codes 8*, /Questionnaire/home-visit : ne devient pas COORD",
            id="a rule made wider",
        ),
        pytest.param(
            changed("TEAM: [CareTeam]", "TEAM: [CareTeam]\n  VITAL: [Condition]"), "Condition est du soin", id="a type"
        ),
        pytest.param(changed("RelatedPerson, Person]\n\ni", "RelatedPerson, Person, Condition]\n\ni"), "Condition", id="fixed"),
    ],
)  # fmt: skip
def test_care_is_not_coordination_by_a_code(text: str, said: str) -> None:
    found = class_check.refusals(text)
    assert any(said in one for one in found), found
    assert all(one.startswith("ligne ") for one in found), found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(changed('"B20*", "B21*"', '"B21*"'), f"B20* ({ICD}) reste SENS", id="a diagnosis"),
        pytest.param(changed('"B20*", "B21*"', '"B201*", "B21*"'), "B20* (", id="a narrower code"),
        pytest.param(changed("in: [code, reasonCode]", "in: [code]"), "B20*", id="an element"),
        pytest.param(
            changed("in: [code, reasonCode]", "types: [Condition]\n    in: [code, reasonCode]"), "B20*", id="some types"
        ),
        pytest.param(
            changed("in: [code, reasonCode]", "statuses: [active]\n    in: [code, reasonCode]"), "B20*", id="some statuses"
        ),
        pytest.param(changed("icd-10\n    codes: [\"B20", "icd-9\n    codes: [\"B20"), "B20*", id="another system"),
        pytest.param(changed("types: [Encounter]\n    in: [serviceType", "types: [Flag]\n    in: [serviceType"), "394587001", id="psychiatry"),
        pytest.param(changed("adds: [PSY, SENS,", "adds: ["), f"PSY ({OF_DATA}) reste PSY", id="a label set by hand"),
        pytest.param(changed("ETP, SOC, HOMEPLAN]", "SOC, HOMEPLAN]"), f"ETP ({OF_DATA})", id="a label that replaces"),
        pytest.param(changed("GDIS: SENS, ", ""), "GDIS", id="a label of HL7"),
        pytest.param(changed("SPI: PSY", "SPI: SENS"), "SPI", id="another class"),
        pytest.param(
            changed("labels:\n", "labels:\n  - system: https://liaison.example/fhir/CodeSystem/*\n    means: {x: SENS}\n"),
            f"PSY ({OF_DATA})",
            id="a wide system before",
        ),
        pytest.param(
            changed("labels:\n", "labels:\n  - system: https://mos.esante.gouv.fr/NOS/TRE_A07-X\n    means: {x: SENS}\n"),
            "MASQUE_PS",
            id="a system of a family before",
        ),
        pytest.param(changed("restricted: [R, V]", "restricted: [V]"), "R reste restreint", id="restricted"),
        pytest.param(
            changed(
                "labels:\n",
                "labels:\n  - system: http://terminology.hl7.org/CodeSystem/v3-Confidentiality\n    means: {R: ETP}\n",
            ),
            "R reste restreint",
            id="restricted by a label",
        ),
        pytest.param(
            ruled("MINOR", "in: [code]", f"system: {ICD}", 'codes: ["*"]', section="besides"),
            "sans SENS",
            id="what takes the place of restricted",
        ),
        pytest.param(changed("SM43, SM60, SM61]", "SM43, SM60]"), "SM61 manque", id="a specialty"),
        pytest.param(changed('codes: [psychiatry, "394587001"]\n  words', "codes: [psychiatry]\n  words"), "394587001 manque", id="a service"),
        pytest.param(changed("psychiatrique, ", "").replace("[psychiatrie,", "[psychiatries,"), "« psychiatrie »", id="a word"),
    ],
)  # fmt: skip
def test_what_is_sensitive_is_not_made_less(text: str, said: str) -> None:
    found = class_check.refusals(text)
    assert any(said in one for one in found), found
    assert all(one.startswith("ligne ") for one in found), found


def test_a_problem_is_said_with_the_line_of_its_rule() -> None:
    text = ruled("SAFETY", *AIDES)
    line = text[: text.index("  - classes: [SAFETY]")].count("\n") + 1
    [said] = class_check.refusals(text)
    assert said.startswith(f"ligne {line}, instead : Condition (CLIN)")


@pytest.mark.parametrize(
    ("before", "after", "opening"),
    [
        pytest.param(PACKAGED, ruled("SAFETY", *AIDES), 1, id="a rule"),
        pytest.param(ruled("CLIN, SENS", *AIDES), PACKAGED, 1, id="a closing rule that goes"),
        pytest.param(PACKAGED, ruled("CLIN, SENS", *AIDES), 0, id="a closing rule"),
        pytest.param(PACKAGED, ruled("SENS", *AIDES), 1, id="to the pharmacist who wrote it"),
        pytest.param(
            PACKAGED,
            changed("    codes: [ppcs]", "    codes: [zzz, ppcs]"),
            1,
            id="a synthesis, which coordinators read",
        ),
        pytest.param(PACKAGED, changed("TEAM: [CareTeam]", "TEAM: [CareTeam]\n  SAFETY: [Condition]"), 1, id="a type"),
        pytest.param(PACKAGED, changed('"B20*", "B21*"', '"B2*", "B21*"'), 0, id="a wider code"),
        pytest.param(PACKAGED, changed('"B20*", "B21*"', '"B21*"'), 1, id="a narrower list"),
        pytest.param(PACKAGED, changed("SM60, SM61]", "SM60]"), 1, id="a specialty"),
        pytest.param(PACKAGED, changed("GDIS: SENS, ", ""), 1, id="a label"),
    ],
)
def test_what_opens_is_counted(before: str, after: str, opening: int) -> None:
    assert sum(one.opens for one in class_check.changes(before, after)) == opening
