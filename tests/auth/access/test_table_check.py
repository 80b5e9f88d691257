"""What `liaison rules check` says of a table that is not the packaged one."""

from importlib import resources

import pytest

from liaison.auth.access.table import packaged, parse
from liaison.auth.access.table_check import missing, narrower, problems, refusals, wider

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


@pytest.mark.parametrize("text", ["rows: &r [*r]", "a: &a [x]\nrows: *a"], ids=["of itself", "of another"])
def test_a_reference_within_the_file_is_a_problem(text: str) -> None:
    [said] = problems(text)
    assert "un renvoi" in said
    assert said.startswith(f"ligne {len(text.splitlines())} :")


def test_a_row_that_is_not_there_is_named() -> None:
    assert missing(packaged(), parse(TEXT.replace('row: "26c"', 'row: "29"'))) == ["26c"]


@pytest.mark.parametrize(
    ("word", "other", "said"),
    [
        ("read: [MEDS, ALLERGY, LAB, ETP]", "read: [MEDS, ALLERGY, LAB, ETP, PSY]", "pharmacist, team, all : lit aussi PSY"),
        ("write: [MEDS, ALLERGY, ETP]", "write: [MEDS, ALLERGY, ETP, LAB]", "pharmacist, team, all : écrit aussi LAB"),
        ("limit: [SENS, MINOR, PROT, MASKED]", "limit: [SENS, PROT, MASKED]", "trainee, deleg, all : lit aussi MINOR"),
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
    assert narrower(packaged(), parse(TEXT.replace("read: [MEDS, ALLERGY, LAB, ETP]", "read: [MEDS]"))) == [
        "pharmacist, team, all : ne lit plus ALLERGY, LAB, ETP"
    ]


@pytest.mark.parametrize(
    ("word", "other", "said"),
    [
        ("write: [MEDS, ALLERGY, ETP]", "write: [MEDS, ETP]", "pharmacist, team, all : n'écrit plus ALLERGY"),
        ("limit: [SENS, MINOR, PROT, MASKED]", "limit: [SENS, MINOR, PROT, MASKED, ETP]", "trainee, deleg, all : ne lit plus ETP"),
        ("when: [informed]\n        read: [SOC]", "when: [informed, attending]\n        read: [SOC]",
         "gp, team, all, informed : ne lit plus SOC, HOMEPLAN"),
        ("      - QuestionnaireResponse\n", "", "home-aide : n'écrit plus QuestionnaireResponse"),
    ],
    ids=["write", "limit", "condition", "types"],
)  # fmt: skip
def test_a_right_that_is_narrower_is_named(word: str, other: str, said: str) -> None:
    assert word in TEXT
    changed = parse(TEXT.replace(word, other, 1))
    assert said in narrower(packaged(), changed)
    assert not [one for one in wider(packaged(), changed) if said.split(":")[0] in one]


@pytest.mark.parametrize(
    ("word", "other", "said"),
    [
        ('version: "2026.1"', "version: 2026.1", "version: 2026.1 is no text"),
        ("date: 2026-11-22", 'date: "2026-13-45"', "is not a day"),
        ("date: 2026-11-22", "date: 2026-11-22\nrowz: []", "rowz"),
        ("basis: CSP L.1110-4 III, L.1110-12", "basis: []", "basis: [] is no text"),
        ("text: Un professionnel", "text: ''\n    texte: Un professionnel", "texte"),
        ("        relations: [team]\n", "        relations: [team]\n        relations: [consent]\n", "deux fois"),
    ],
    ids=["version", "date", "top", "basis", "text", "twice"],
)
def test_what_a_page_could_not_say_is_a_problem(word: str, other: str, said: str) -> None:
    assert word in TEXT
    assert said in " ".join(problems(TEXT.replace(word, other, 1)))


def _without(*pairs: tuple[str, str], everywhere: bool = True) -> str:
    text = TEXT
    for word, other in pairs:
        assert word in text, word
        text = text.replace(word, other) if everywhere else text.replace(word, other, 1)
    return text


PERSON = "read: [ADM, COORD, VITAL, CLIN, ETP, SOC, PSY, SENS, MINOR, AUD, CONSENT, MASKED]"
LOCKED_OUT = {
    "confirm": (_without((", CONSENT", "")), "personne ne pourrait confirmer une opposition"),
    "receive": (_without(("[ADM, ", "["), ("ADM_ONLY, ", "")), "personne ne pourrait accueillir"),
    "team": (_without(("write: [ADM, COORD, ", "write: [ADM, COORD_ONLY, ")),
             "personne ne pourrait composer une équipe"),
    "officer": (_without(("read: [AUD, CONSENT]", "read: [CONSENT]")), "le délégué à la protection des données"),
    "own record": (_without((PERSON, PERSON.replace("ADM, ", ""))), "la personne ne lirait plus son dossier"),
    "own traces": (_without((PERSON, PERSON.replace("AUD, ", ""))), "qui a ouvert son dossier"),
    "own wishes": (_without(("write: [CONSENT, MASKED]", "write: [MASKED]")), "consentir ni s'opposer"),
    "masking": (_without(("write: [CONSENT, MASKED]", "write: [CONSENT]")), "la personne ne pourrait plus masquer"),
    "emergency": (_without(("relations: [emergency]", "relations: [call]")), "l'accès d'urgence n'ouvrirait plus rien"),
}  # fmt: skip


@pytest.mark.parametrize("name", LOCKED_OUT)
def test_a_table_that_locks_people_out_is_refused(name: str) -> None:
    text, said = LOCKED_OUT[name]
    assert problems(text) == []
    assert [one for one in refusals(text) if said in one], refusals(text)


def test_what_the_second_wall_never_lets_out_is_refused() -> None:
    text = TEXT.replace("read: [ADM_ONLY, SAFETY, HOMEPLAN]", "read: [ADM_ONLY, SAFETY, HOMEPLAN, MEDS]", 1)
    assert refusals(text) == ["home-aide ne lit jamais MEDS, quelle que soit la table"]


@pytest.mark.parametrize("left", ["SENS", "MINOR", "PROT", "MASKED"])
def test_who_acts_like_another_is_not_given_what_the_second_wall_keeps(left: str) -> None:
    limit = "limit: [SENS, MINOR, PROT, MASKED]"
    others = ", ".join(one for one in ("SENS", "MINOR", "PROT", "MASKED") if one != left)
    text = _without((limit, f"limit: [{others}]"))
    assert refusals(text) == [f"trainee ne lit jamais {left}, quelle que soit la table"]


def test_without_any_limit_either() -> None:
    text = _without(("        limit: [SENS, MINOR, PROT, MASKED]\n", ""))
    assert len(refusals(text)) == 1


def test_a_search_of_a_type_that_is_none_is_refused() -> None:
    text = TEXT.replace("- Encounter?class=HH", "- Encounter?clas=HH", 1)
    assert [one for one in refusals(text) if one.startswith("règle 15 : « Encounter?clas=HH » n'est pas une recherche")]


EMERGENCY = "relations: [emergency]\n        purpose: ETREAT\n        read: [ADM, COORD, VITAL, CLIN, PSY, SENS, HELD]\n        write: []"
CALL = "relations: [call]\n        purpose: ETREAT\n        read: [ADM, COORD, VITAL, CLIN, PSY, SENS, HELD]"
CALL_WRITES = CALL + "\n        write: [COORD_ONLY, ALERT]"
SECRETARY = "        purpose: COORD\n        read: [ADM, APPT, CONSENT]"
CAREGIVER = "        read: [PROCHES, APPT]\n"
REPLACES = "roles: [substitute]\n        relations: [deleg]"
UNMASKED = "ne lit ni ne lève MASKED"
AGAINST_THE_LAW = {
    **{
        f"emergency reads {name}": (EMERGENCY, EMERGENCY.replace("HELD]", f"HELD, {name}]"), f"ne lisent pas {name}")
        for name in ("MASKED", "NOTE3P", "PROT")
    },
    "emergency reads by a consent": (EMERGENCY, EMERGENCY.replace("[ADM, COORD, VITAL, CLIN, PSY, SENS, HELD]", "consent"),
                                     "ne lisent pas NOTE3P, PROT, MASKED"),
    "emergency reads what one wrote": (EMERGENCY, EMERGENCY.replace("HELD]", "HELD, PROT]\n        of: own"), "ne lisent pas PROT"),
    "emergency writes": (EMERGENCY, EMERGENCY.replace("write: []", "write: [CLIN]"), "n'y écrivent pas CLIN, MEDS"),
    "emergency writes a treatment": (EMERGENCY, EMERGENCY.replace("write: []", "write: [MEDS]"), "n'y écrivent pas MEDS"),
    "emergency unmasks": (EMERGENCY, EMERGENCY.replace("write: []", "write: [MASKED]"), "n'y écrivent pas MASKED"),
    "a call reads masked": (CALL, CALL.replace("HELD]", "HELD, MASKED]"), "ne lisent pas MASKED"),
    "a call writes": (CALL_WRITES, CALL_WRITES.replace("ALERT]", "ALERT, CLIN_ONLY]"), "n'y écrivent pas CLIN"),
    "a handler reads a report": ("read: [ADM_ONLY, TEAM, SAFETY, APPT, ALERT]",
                                 "read: [ADM_ONLY, TEAM, SAFETY, APPT, ALERT, PROT]", "ne lisent pas PROT"),
    "any doctor reads masked": ("        when: [attending]\n        read: [MASKED]", "        read: [MASKED]", UNMASKED),
    "any doctor unmasks": ("        when: [attending]\n        read: [MASKED]\n", "        read: []\n", UNMASKED),
    "their service reads masked": ("        of: own\n        read: [MASKED]\n        write: [MASKED]",
                                   "        of: service\n        read: [MASKED]\n        write: []", UNMASKED),
    "a secretary reads masked": (SECRETARY, SECRETARY.replace("CONSENT]", "CONSENT, MASKED]"), f"secretary {UNMASKED}"),
    "a secretary, of what they wrote": (SECRETARY, SECRETARY.replace("CONSENT]", "CONSENT, MASKED]\n        of: own"),
                                        f"secretary {UNMASKED}"),
    "a secretary, as the doctor": (REPLACES, REPLACES.replace("substitute", "secretary"), f"secretary {UNMASKED}"),
    "a relative reads masked": (CAREGIVER, CAREGIVER.replace("APPT]", "APPT, MASKED]"), UNMASKED),
    "a relative, of what they wrote": (CAREGIVER, CAREGIVER.replace("APPT]\n", "APPT, MASKED]\n        of: own\n"), UNMASKED),
    "a relative reads a report they wrote": (CAREGIVER, CAREGIVER.replace("APPT]\n", "APPT, PROT]\n        of: own\n"),
                                             "caregiver ne lit jamais PROT"),
    "the person reads a report": (PERSON, PERSON.replace("MASKED]", "MASKED, PROT]"), "patient ne lit jamais PROT"),
    "a representative reads a report": ("PSY, AUD, CONSENT, MASKED]", "PSY, AUD, CONSENT, MASKED, PROT]", "guardian ne lit jamais PROT"),
}  # fmt: skip


@pytest.mark.parametrize("name", AGAINST_THE_LAW)
def test_a_table_against_the_law_is_refused(name: str) -> None:
    word, other, said = AGAINST_THE_LAW[name]
    text = _without((word, other), everywhere=False)
    assert problems(text) == []
    assert [one for one in refusals(text) if said in one], refusals(text)


def test_what_the_law_leaves_open_is_said_to_be_wider_not_refused() -> None:
    """Who represents the person may mask for them."""
    read = "read: [ADM, COORD, VITAL, CLIN, ETP, SOC, PSY, AUD, CONSENT, MASKED]\n        write: [CONSENT"
    text = _without((f"{read}]", f"{read}, MASKED]"))
    assert refusals(text) == []
    assert wider(packaged(), parse(text)) == ["guardian, represented, all : écrit aussi MASKED"]


def test_the_packaged_table_may_come_into_force() -> None:
    assert refusals(TEXT) == []
