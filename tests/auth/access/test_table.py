"""The decision table, cell by cell: every role, in every relationship, for every data class, read and write.

What is expected is written out here a second time, by hand, from the law's table (domain notes §2.5). Whatever is not
written here must be denied: a cell too many is as wrong as one missing.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import pytest

from liaison.auth.access.classes import Class, bits
from liaison.auth.access.decide import decide
from liaison.auth.access.intervals import ALWAYS, Interval
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation
from liaison.auth.access.roles import ROLES
from liaison.auth.access.table import BadTable, label_of, number_of, packaged, parse
from liaison.auth.access.world import Fact, Held, Offices, Right, World
from liaison.fhir.search import match

from .law import ADM, CLIN, MEMBER, OWN, READ, WRITE, allowed

ROLE, PERSON, UNIT, WHOLE = 11, 12, 13, 14

SITUATIONS = ["none", "team", "team+informed", "team+mental", "team+mental+informed", "team+attending", "stay", "unit",
              "referral", "emergency", "call", "tour", "tour+informed", "tour+structure", "tour+structure+informed",
              "structure", "structure+informed", "consent", "author"]  # fmt: skip
_RELATIONS = {
    "team": Relation.TEAM, "stay": Relation.STAY, "referral": Relation.REFERRAL, "emergency": Relation.EMERGENCY,
    "call": Relation.CALL, "tour": Relation.TOUR, "consent": Relation.CONSENT, "author": Relation.AUTHOR,
    "mental": Relation.MENTAL_HEALTH, "attending": Relation.ATTENDING,
}  # fmt: skip


def facts(situation: str) -> Iterator[Fact]:
    for part in situation.split("+"):
        if part == "informed":
            yield Fact(0, Relation.INFORMED)
        elif part == "structure":
            yield Fact(WHOLE, Relation.STRUCTURE)
        elif part == "unit":
            yield Fact(UNIT, Relation.STAY)
        elif part != "none":
            detail: dict[str, Any] = {"classes": ["CLIN", "VITAL"]} if part == "consent" else {}
            yield Fact(ROLE, _RELATIONS[part], detail=detail)


def given(role: str, situation: str) -> frozenset[Right]:
    held = Held(ROLE, PERSON, UNIT, role)
    offices = Offices(frozenset({UNIT}))  # what a structure without the mandate answers for: test_offices
    return decide(World(list(facts(situation)), [held], {UNIT: (WHOLE,)}, offices=offices), packaged())


def expected(table: dict[tuple[str, str], set[str]], role: str, situation: str) -> set[str]:
    return allowed(table, role, set(situation.split("+")))


def names(rights: Iterator[Class]) -> set[str]:
    return {one.name for mask in rights for one in bits(mask) if one.name}


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("role", sorted(set(ROLES) - {"substitute", "trainee", "secretary"}))
def test_the_table_cell_by_cell(role: str, situation: str) -> None:
    rights = given(role, situation)

    anyones = [right for right in rights if right.whose.column == ""]
    assert names(right.read for right in anyones) == expected(READ, role, situation)
    assert names(right.write for right in anyones) == expected(WRITE, role, situation)
    own = [right for right in rights if right.whose.column == "author"]
    assert names(right.read for right in own) == expected(OWN, role, situation)
    assert all(right.whose.res == PERSON for right in own)
    assert {right.principal for right in rights} <= {ROLE}


@pytest.mark.parametrize("role", sorted(ROLES))
def test_each_right_is_for_the_purpose_of_the_role_or_for_an_emergency(role: str) -> None:
    for situation in SITUATIONS:
        for right in given(role, situation):
            urgent = right.relation in (Relation.EMERGENCY, Relation.CALL) and right.purpose is Purpose.ETREAT
            assert urgent or right.purpose is ROLES[role].purpose


@pytest.mark.parametrize(
    ("situation", "read"),
    [
        ("team+informed", {"addressee": {"COORD", "ALERT", "APPT", "PROCHES", "PROT"}, "service": {"VITAL"}}),
        ("tour+structure+informed", {"addressee": {"COORD", "ALERT", "APPT", "PROCHES"}, "service": {"VITAL"}}),
    ],
)
def test_an_aide_reads_what_is_addressed_to_home_staff_and_their_measures(
    situation: str, read: dict[str, set[str]]
) -> None:
    rights = [right for right in given("home-aide", situation) if right.whose.column in ("addressee", "service")]
    for column, wanted in read.items():
        mine = [right for right in rights if right.whose.column == column]
        assert names(right.read for right in mine) == wanted - {"PROT"}
        assert not names(right.write for right in mine)
        assert {right.whose.type_ for right in mine} <= {"Practitioner", "Organization"}


# ---- delegates, the person, those close ------------------------------------------------------------------------------


def delegated(code: str, *facts_: Fact, during: Interval | None = None) -> set[Right]:
    source = Held(ROLE, PERSON, UNIT, "gp")
    acting = Held(21, 22, UNIT, code, during or ALWAYS, acts_for=ROLE)
    rights = decide(World([Fact(ROLE, Relation.TEAM), *facts_], [source, acting]), packaged())
    return {right for right in rights if right.principal == 21}


def test_a_substitute_has_the_rights_of_the_doctor_replaced() -> None:
    mine = delegated("substitute")
    theirs = given("gp", "team")
    everyones = {(right.read, right.write) for right in theirs if not right.whose.column}
    assert {(right.read, right.write) for right in mine if not right.whose.column} == everyones
    assert {right.rule for right in mine} == {number_of("8")}
    assert {right.whose.res for right in mine if right.whose.column == "author"} == {PERSON, 22}


@pytest.mark.parametrize("code", ["substitute", "trainee"])
def test_a_report_of_abuse_stays_its_author_s_whoever_stands_in(code: str) -> None:
    theirs = [right for right in given("gp", "team") if (right.read | right.write) & Class.PROT]
    assert {right.whose.column for right in theirs} == {"author", "addressee"}
    mine = [right.whose for right in delegated(code) if (right.read | right.write) & Class.PROT]
    assert {(whose.column, whose.res) for whose in mine} == {("author", 22)}


def test_a_trainee_has_those_of_the_supervisor_less_the_most_sensitive() -> None:
    mine = delegated("trainee")
    everyones = names(right.read for right in mine if not right.whose.column)
    assert everyones == MEMBER
    assert not names(right.read for right in mine) & {"SENS", "MINOR"}
    masked = [right.whose for right in mine if (right.read | right.write) & Class.MASKED]
    assert {(whose.column, whose.res) for whose in masked} == {("author", 22)}


def test_a_secretary_has_identity_appointments_and_consents_of_those_patients() -> None:
    mine = delegated("secretary")
    assert names(right.read for right in mine) == ADM | {"APPT", "CONSENT"}
    assert names(right.write for right in mine) == ADM | {"APPT", "CONSENT"}
    assert {right.purpose for right in mine} == {Purpose.COORD}


@pytest.mark.parametrize("code", ["substitute", "trainee", "secretary"])
def test_a_delegate_has_nothing_outside_the_dates(code: str) -> None:
    dates = Interval(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    assert {right.during for right in delegated(code, during=dates)} == {dates}


@pytest.mark.parametrize("code", ["substitute", "trainee", "secretary"])
def test_a_delegate_of_someone_opposed_has_nothing(code: str) -> None:
    assert delegated(code, Fact(PERSON, Relation.DENY)) == set()


@pytest.mark.parametrize("code", ["substitute", "trainee", "secretary"])
def test_a_delegate_who_is_opposed_has_nothing(code: str) -> None:
    assert delegated(code, Fact(22, Relation.DENY)) == set()


def test_an_emergency_access_is_not_delegated() -> None:
    assert not [
        right for right in delegated("substitute", Fact(ROLE, Relation.EMERGENCY)) if right.purpose is Purpose.ETREAT
    ]


def person(*facts_: Fact) -> set[str]:
    rights = decide(World(list(facts_)), packaged())
    assert {right.purpose for right in rights} <= {Purpose.PATRQT}
    return names(right.read for right in rights)


def test_the_person_reads_all_but_third_parties_abuse_and_what_is_to_be_told_first() -> None:
    everything = {one.name for one in Class}
    assert person(Fact(1, Relation.SELF)) == everything - {"NOTE3P", "HELD", "PROT", "DIRECTORY"}


def test_a_representative_reads_less_still() -> None:
    everything = {one.name for one in Class}
    assert person(Fact(1, Relation.REPRESENTED)) == everything - {
        "NOTE3P", "HELD", "PROT", "DIRECTORY", "MINOR", "SENS",
    }  # fmt: skip


AGREED = {"holder": "related", "agreed": True, "classes": ["SENS", "PSY", "MINOR", "NOTE3P", "PROT"]}


@pytest.mark.parametrize(
    ("detail", "more", "opened"),
    [
        (AGREED, (), {"SENS"}),
        ({**AGREED, "classes": ["CLIN"]}, (), set()),
        ({**AGREED, "agreed": False}, (), set()),  # by who represents them
        ({"holder": "related", "agreed": True}, (), set()),
        (AGREED, (Fact(1, Relation.DENY),), set()),
        (AGREED, (Fact(0, Relation.DENY),), set()),
        (AGREED, (Fact(2, Relation.DENY),), {"SENS"}),
    ],
)
def test_a_representative_reads_what_is_sensitive_by_the_person_s_own_word(
    detail: dict[str, Any], more: tuple[Fact, ...], opened: set[str]
) -> None:
    agreed = Fact(1, Relation.CONSENT, detail=detail)
    without = person(Fact(1, Relation.REPRESENTED))
    assert person(Fact(1, Relation.REPRESENTED), agreed, *more) == without | opened
    assert person(Fact(1, Relation.REPRESENTED), Fact(2, Relation.CONSENT, detail=AGREED)) == without
    assert "SENS" not in person(agreed)


def test_what_a_representative_may_read_lasts_as_long_as_the_measure_and_the_agreement() -> None:
    spring, summer = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    measure, agreed = ALWAYS._replace(end=summer), ALWAYS._replace(start=spring)
    facts_ = [Fact(1, Relation.REPRESENTED, measure), Fact(1, Relation.CONSENT, agreed, detail=AGREED)]
    opened = [right for right in decide(World(facts_), packaged()) if right.read & Class.SENS]
    assert [(right.during, right.rule) for right in opened] == [(Interval(spring, summer), number_of("22"))]


def test_a_relative_reads_the_shared_notebook_and_no_more_than_the_person_said() -> None:
    close = {"holder": "related", "classes": ["VITAL", "CLIN", "PSY", "SENS", "PROT"]}
    assert person(Fact(1, Relation.CONSENT, detail=close)) == {"PROCHES", "APPT", "VITAL"}
    assert person(Fact(1, Relation.TEAM)) == set()


# ---- denials ---------------------------------------------------------------------------------------------------------


def team_with(denial: Fact, role: str = "gp") -> set[str]:
    held = Held(ROLE, PERSON, UNIT, role)
    world = World([Fact(ROLE, Relation.TEAM), Fact(0, Relation.INFORMED), denial], [held], {UNIT: (WHOLE,)})
    return names(right.read for right in decide(world, packaged()))


@pytest.mark.parametrize("principal", [ROLE, PERSON, UNIT, WHOLE])
def test_an_opposition_to_a_person_role_or_structure_takes_everything(principal: int) -> None:
    assert team_with(Fact(principal, Relation.DENY)) == set()


def test_an_opposition_to_someone_in_one_role_holds_in_every_role() -> None:
    facts = [Fact(ROLE, Relation.TEAM), Fact(0, Relation.INFORMED), Fact(77, Relation.DENY)]
    held = [Held(ROLE, PERSON, UNIT, "gp")]

    assert decide(World(facts, held, persons={77: PERSON}), packaged()) == frozenset()
    assert decide(World(facts, held, persons={77: 99}), packaged()) != frozenset()


def test_an_opposition_to_all_leaves_only_the_opposition_itself() -> None:
    assert team_with(Fact(0, Relation.DENY)) == {"CONSENT"}


def test_an_opposition_to_someone_else_takes_nothing() -> None:
    assert team_with(Fact(99, Relation.DENY)) == team_with(Fact(99, Relation.EMERGENCY_OBJECTION))


def test_an_opposition_to_some_classes_takes_those() -> None:
    left = team_with(Fact(0, Relation.DENY, detail={"classes": ["CLIN", "ETP"]}))
    assert not left & (CLIN | {"ETP"})
    assert {"VITAL", "ADM"} <= left


def test_an_opposition_holds_for_its_dates_and_the_right_returns_after() -> None:
    january = Interval(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    world = World([Fact(ROLE, Relation.TEAM), Fact(PERSON, Relation.DENY, january)], [Held(ROLE, PERSON, UNIT, "gp")])
    rights = decide(world, packaged())
    assert rights
    assert all(right.during.meet(january) is None for right in rights)
    assert {right.during.end for right in rights} >= {january.start}
    assert {right.during.start for right in rights} >= {january.end}


@pytest.mark.parametrize(
    ("denial", "left"),
    [
        (Fact(0, Relation.DENY), True),  # not an express objection to emergency access
        (Fact(PERSON, Relation.DENY), False),
        (Fact(0, Relation.EMERGENCY_OBJECTION), False),
    ],
)
def test_what_stops_an_emergency_access(denial: Fact, left: bool) -> None:
    world = World([Fact(ROLE, Relation.EMERGENCY), denial], [Held(ROLE, PERSON, UNIT, "gp")])
    assert bool(decide(world, packaged())) is left


# ---- the table itself ------------------------------------------------------------------------------------------------


def test_rows_keep_their_numbers() -> None:
    assert [label_of(row.number) for row in packaged().rows] == [row.label for row in packaged().rows]
    assert (number_of("2"), number_of("10b"), label_of(263)) == (20, 102, "26c")


@pytest.mark.parametrize(
    ("word", "other"),
    [("gp, specialist", "gp, wizard"), ("[team]", "[neighbour]"), ("read:", "reads:"), ("VITAL", "VITALS"),
     ("TREAT", "CURIOSITY"), ("- Task", "- Tasks"), ("when: [informed]", "when: [asked]"), ("of: own", "of: mine")],
)  # fmt: skip
def test_a_table_that_is_not_understood_is_refused(word: str, other: str) -> None:
    text = resources.files("liaison.auth.access").joinpath("rules.yaml").read_text("utf-8")
    assert parse(text).rows
    with pytest.raises((BadTable, KeyError)):
        parse(text.replace(word, other, 1))


def test_each_type_that_a_row_names_comes_with_a_search_that_is_understood() -> None:
    named = [one.partition("?") for row in packaged().rows for one in row.types]
    assert named
    for type_, _, query in named:
        assert match(type_, {"resourceType": type_}, query) is not bool(query)


def test_the_types_of_a_row_hold_for_its_roles_alone() -> None:
    limited = {"home-aide", "home-service-manager", "caregiver", "trusted-person", "guardian"}
    assert {role for role in ROLES if packaged().types_for(role)} == limited
