"""Rights computed from random worlds of facts, against the law read at one instant.

The engine cuts time into stretches and makes rows; the reference asks, for one moment, one person and one item, which
facts hold then. Nothing is shared but the shapes of the facts.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from liaison.auth.access import decide, professionals
from liaison.auth.access import denials as denials_module
from liaison.auth.access.classes import Class
from liaison.auth.access.intervals import ALWAYS, Interval
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation
from liaison.auth.access.roles import ROLES
from liaison.auth.access.table import packaged
from liaison.auth.access.world import Fact, Held, Offices, World

from .law import OWN, READ, allowed

START = datetime(2026, 1, 1, tzinfo=UTC)
MOMENTS = [START + timedelta(days=day) for day in range(7)]
EVERY = {one.name for one in Class if one.name}
CODES = ["gp", "nurse", "specialist", "pharmacist", "home-aide", "home-service-manager", "coordinator", "social-worker",
         "on-call-doctor", "coordinator-admin", "auditor", "regulating-doctor", "call-handler"]  # fmt: skip
# People 1 to 4 hold roles 11 to 14 (and 15: a second role of person 1) in units 31 and 32, of the whole 33.
PRINCIPALS = [1, 2, 3, 4, 11, 12, 13, 14, 15, 31, 32, 33]
WHOLES = {31: (33,), 32: (33,)}
MANDATED = Offices(frozenset({0, 31, 32}))  # by whom traces are read without it: test_offices

during = st.one_of(
    st.just(ALWAYS),
    st.tuples(st.integers(0, 5), st.integers(1, 6)).map(
        lambda pair: Interval(MOMENTS[pair[0]], MOMENTS[min(6, pair[0] + pair[1])])
    ).filter(lambda one: one.start < one.end),
)  # fmt: skip
rights = st.builds(
    Fact,
    st.sampled_from(PRINCIPALS),
    st.sampled_from([Relation.TEAM, Relation.TEAM, Relation.STAY, Relation.STRUCTURE, Relation.TOUR, Relation.REFERRAL,
                     Relation.EMERGENCY, Relation.CALL, Relation.CONSENT, Relation.AUTHOR, Relation.ATTENDING, Relation.MENTAL_HEALTH]),
    during,
)  # fmt: skip
informed = st.builds(Fact, st.sampled_from([0, *PRINCIPALS]), st.just(Relation.INFORMED), during)
denials = st.builds(
    Fact,
    st.sampled_from([0, *PRINCIPALS]),
    st.sampled_from([Relation.DENY, Relation.DENY, Relation.EMERGENCY_OBJECTION]),
    during,
    detail=st.sampled_from([{}, {}, {"classes": ["CLIN"]}, {"classes": ["PSY", "VITAL"]}]),
)
held = st.tuples(*(st.sampled_from(CODES) for _ in range(5)), during).map(
    lambda codes: [
        Held(11, 1, 31, codes[0], codes[5]), Held(12, 2, 31, codes[1]), Held(13, 3, 32, codes[2]),
        Held(14, 4, 0, codes[3]), Held(15, 1, 32, codes[4]),
    ]
)  # fmt: skip


class Instant:
    """The facts that hold at one moment, and what they allow one role: the law, read without computing any interval."""

    def __init__(self, facts: Iterable[Fact], held_: Held, moment: datetime) -> None:
        self.holds = held_.during.start <= moment < held_.during.end
        self.facts = [fact for fact in facts if fact.during.start <= moment < fact.during.end]
        self.held = held_
        self.me = {held_.role, held_.practitioner}
        self.structures = {held_.organization, *WHOLES.get(held_.organization, ())} - {0}

    def stated(self, relation: Relation, whom: set[int]) -> bool:
        return any(fact.relation is relation and fact.principal in whom for fact in self.facts)

    def denied(self, emergency: bool) -> set[str]:
        gone: set[str] = set()
        for fact in self.facts:
            if fact.principal != 0 and fact.principal not in self.me | self.structures:
                continue
            if fact.relation is Relation.EMERGENCY_OBJECTION and emergency:
                return EVERY
            if fact.relation is Relation.DENY and not (emergency and fact.principal == 0):
                gone |= self.meant(fact)
        return gone

    def meant(self, fact: Fact) -> set[str]:
        names = fact.detail.get("classes")
        if not names:
            return EVERY - ({"CONSENT"} if fact.principal == 0 else set())
        clin = {"CLIN", "MEDS", "ALLERGY", "LAB", "SYNTH", "CLINSOC", "STAY"}
        return {part for name in names for part in (clin if name == "CLIN" else {name})}

    def situations(self) -> list[set[str]]:
        """Each relationship is judged by itself, with the conditions that hold beside it."""
        beside = set()
        if self.stated(Relation.INFORMED, {0} | self.me | self.structures):
            beside.add("informed")
        if self.stated(Relation.MENTAL_HEALTH, self.me):
            beside.add("mental")
        if self.stated(Relation.ATTENDING, self.me):
            beside.add("attending")
        in_team = self.stated(Relation.STRUCTURE, self.structures)
        found = []
        for fact in self.facts:
            mine = fact.principal in self.me
            match fact.relation:
                case Relation.TEAM if mine:
                    found.append({"team"})
                case Relation.STAY if mine:
                    found.append({"stay"})
                case Relation.STAY if fact.principal == self.held.organization:
                    found.append({"unit"})
                case Relation.STRUCTURE if fact.principal in self.structures:
                    found.append({"structure"})
                case Relation.TOUR if mine and in_team:
                    found.append({"tour", "structure"})
                case Relation.REFERRAL if mine:
                    found.append({"referral"})
                case Relation.EMERGENCY if mine:
                    found.append({"emergency"})
                case Relation.CALL if mine:
                    found.append({"call"})
                case Relation.AUTHOR if mine:
                    found.append({"author"})
        return [{"none"}, *(parts | beside for parts in found)]

    def reads(self, *, own: bool) -> dict[bool, set[str]]:
        """Classes read in an ordinary session and, under True, in one opened for an emergency."""
        found: dict[bool, set[str]] = {False: set(), True: set()}
        if not self.holds:
            return found
        for parts in self.situations():
            emergency = "emergency" in parts or (parts >= {"call"} and self.held.role_code == "regulating-doctor")
            names = allowed(READ, self.held.role_code, parts)
            if emergency:  # what an office gives, it gives in an ordinary session
                names -= allowed(READ, self.held.role_code, {"none"})
            if own:
                names |= allowed(OWN, self.held.role_code, parts)
            if ROLES[self.held.role_code].category == "control":
                gone = set() if not self.named_denial() else self.named_denial()
            else:
                gone = self.denied(emergency)
            found[emergency] |= names - gone
        return found

    def named_denial(self) -> set[str]:
        """An auditor's reading of traces is not sharing: only an opposition to them by name touches it."""
        gone: set[str] = set()
        for fact in self.facts:
            if fact.relation is Relation.DENY and fact.principal in self.me | self.structures:
                gone |= self.meant(fact)
        return gone


def check(facts: list[Fact], people: list[Held]) -> None:
    """The engine's rights are the law's, for everyone, at one instant of each stretch of the world's time."""
    facts = [fact for fact in facts if fact.relation is not Relation.CONSENT]
    made = decide.decide(World(facts, people, WHOLES, offices=MANDATED), packaged())
    for person in people:
        for moment in (one + timedelta(hours=1) for one in MOMENTS[:-1]):
            law = Instant(facts, person, moment)
            for own in (False, True):
                wanted = law.reads(own=own)
                for emergency in (False, True):
                    found: set[str] = set()
                    for right in made:
                        if (
                            right.principal == person.role
                            and right.during.start <= moment < right.during.end
                            and (right.purpose is Purpose.ETREAT) is emergency
                            and (right.whose.column == "" or (own and right.whose.column == "author"))
                        ):
                            found |= {one.name for one in Class if one & right.read and one.name}
                    assert found == wanted[emergency], (person.role_code, moment, own, emergency)


worlds = given(
    st.builds(lambda *parts: [fact for part in parts for fact in part],
              st.lists(rights, max_size=6), st.lists(informed, max_size=2), st.lists(denials, max_size=3)),
    held,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@worlds
def test_rights_are_those_of_the_law_at_every_instant(facts: list[Fact], people: list[Held]) -> None:
    check(facts, people)


def _ignoring(relation: Relation) -> Any:
    honest = professionals._stated

    def stated(world: World, asked: Relation, principals: Any) -> list[Interval]:
        return [ALWAYS] if asked is relation else honest(world, asked, principals)

    return stated


def _everyone(world: World, held_: Held) -> Any:
    return world.facts


FAULTS: dict[str, Any] = {
    "oppositions are forgotten": (denials_module, "denied", lambda denial, relation, purpose: Class(0)),
    "an opposition to all counts for nobody": (decide, "denials_of", lambda world, named: [
        fact for fact in world.facts if fact.relation is Relation.DENY and fact.principal in named]),
    "oppositions have no end": (denials_module, "cuts", lambda whole, others: [whole]),
    "information is taken for granted": (professionals, "_stated", _ignoring(Relation.INFORMED)),
    "a tour line needs no structure": (professionals, "_stated", _ignoring(Relation.STRUCTURE)),
    "anyone attends": (professionals, "_stated", _ignoring(Relation.ATTENDING)),
    "relations are everyone's": (professionals, "_facts_about", _everyone),
    "dates are forgotten": (professionals, "_when", lambda world, held_, line, fact: [ALWAYS]),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, attribute, fault = FAULTS[name]
    monkeypatch.setattr(module, attribute, fault)

    # The same examples each time: a fault that chance does not meet in one run of hundreds says nothing of the law.
    @settings(max_examples=1000, deadline=None, database=None, phases=[Phase.generate], derandomize=True)
    @worlds
    def run(facts: list[Fact], people: list[Held]) -> None:
        check(facts, people)

    with pytest.raises(AssertionError):
        run()


@settings(max_examples=100, deadline=None)
@given(st.lists(rights, max_size=6), st.lists(informed, max_size=2), st.lists(denials, max_size=3), held, st.randoms())
def test_the_order_of_facts_changes_nothing_and_one_more_denial_never_adds(
    some: list[Fact], told: list[Fact], against: list[Fact], people: list[Held], chance: Any
) -> None:
    facts = [*some, *told]
    before = decide.decide(World([*facts, *against], people, WHOLES, offices=MANDATED), packaged())
    mixed = [*facts, *against]
    chance.shuffle(mixed)
    assert decide.decide(World(mixed, people[::-1], WHOLES, offices=MANDATED), packaged()) == before

    without = decide.decide(World(facts, people, WHOLES, offices=MANDATED), packaged())
    for right in before:
        wider = [
            one
            for one in without
            if (one.principal, one.purpose, one.rule, one.relation, one.whose)
            == (right.principal, right.purpose, right.rule, right.relation, right.whose)
            and one.during.meet(right.during) == right.during
        ]
        assert any(right.read & ~one.read == 0 and right.write & ~one.write == 0 for one in wider)
