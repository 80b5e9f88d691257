"""The rights of those who act in a role of their own: relationship, conditions, then the classes of the role."""

from collections.abc import Iterator, Sequence
from typing import Final

from liaison.auth.access import offices
from liaison.auth.access.classes import Class, union
from liaison.auth.access.intervals import Interval, meet_all
from liaison.auth.access.relations import Relation
from liaison.auth.access.roles import ROLES
from liaison.auth.access.table import Line, Table
from liaison.auth.access.world import ANYONES, Fact, Held, Right, Whose, World

_PERSONAL: Final = frozenset(
    {
        Relation.TEAM,
        Relation.CONSENT,
        Relation.REFERRAL,
        Relation.EMERGENCY,
        Relation.CALL,
        Relation.STAY,
        Relation.TOUR,
        Relation.AUTHOR,
    }
)
_OF_UNIT: Final = frozenset({Relation.STAY})
_OF_STRUCTURE: Final = frozenset({Relation.STRUCTURE, Relation.CONSENT})
BY_STRUCTURE: Final = _OF_UNIT | _OF_STRUCTURE
"""Relations by which a fact that names a structure may give something to those who are in it."""
_ORDINARY: Final = union(("ADM", "COORD", "VITAL", "CLIN", "ETP"))
"""What a Consent that names no class permits a professional: what a team would see, nothing sensitive."""


def rights_of(world: World, held: Held, table: Table) -> Iterator[Right]:
    if ROLES[held.role_code].category == "person":
        return  # What patients and those close to them may do does not come from a PractitionerRole.
    for line in table.for_relation(held.role_code, Relation.OFFICE):
        for during, whose in offices.covered(world, held):
            for stretch in _when(world, held, line, Fact(held.role, Relation.OFFICE, during)):
                yield from rights_by(held, line, Fact(held.role, Relation.OFFICE), stretch, whose)
    for fact in _facts_about(world, held):
        for line in table.for_relation(held.role_code, fact.relation):
            for during in _when(world, held, line, fact):
                yield from rights_by(held, line, fact, during)


def _facts_about(world: World, held: Held) -> Iterator[Fact]:
    """Those that name the person, or a structure where the relation allows it."""
    person, structures = (held.role, held.practitioner), world.structures(held.organization)
    for principal in {*person, *structures} - {0}:
        for fact in world.about(principal):
            relation = fact.relation
            personal = relation in _PERSONAL and principal in person
            of_unit = relation in _OF_UNIT and held.organization == principal
            of_structure = relation in _OF_STRUCTURE and principal in structures
            if personal or of_unit or of_structure:
                yield fact


def _when(world: World, held: Held, line: Line, fact: Fact) -> list[Interval]:
    """The stretches in which the line's conditions hold for this person and fact."""
    both = held.during.meet(fact.during)
    stretches = [] if both is None else [both]
    if fact.relation is Relation.TOUR:
        stretches = meet_all(stretches, _stated(world, Relation.STRUCTURE, world.structures(held.organization)))
    if "informed" in line.when and not fact.detail.get("informed"):
        told = (0, held.role, held.practitioner, *world.structures(held.organization))
        stretches = meet_all(stretches, _stated(world, Relation.INFORMED, told))
    if "mental-health" in line.when:
        stretches = meet_all(stretches, _stated(world, Relation.MENTAL_HEALTH, (held.role, held.practitioner)))
    if "attending" in line.when:
        stretches = meet_all(stretches, _stated(world, Relation.ATTENDING, (held.role, held.practitioner)))
    return stretches


def _stated(world: World, relation: Relation, principals: Sequence[int]) -> list[Interval]:
    return [fact.during for fact in world.stated(relation) if fact.principal in principals]


def rights_by(held: Held, line: Line, fact: Fact, during: Interval, whose_alone: Whose = ANYONES) -> Iterator[Right]:
    """`whose_alone`: of what the line opens to them of anyone's, no more than this."""
    purpose = line.purpose or ROLES[held.role_code].purpose
    read = permitted(fact, line) if line.extent == "consent" else line.read
    for whose in _whose(held, line):
        narrowed = whose_alone if whose == ANYONES else whose
        yield Right(held.role, purpose, read, line.write, line.number, fact.relation, during, narrowed)


def permitted(fact: Fact, line: Line) -> Class:
    """What the Consent names, cut to the line. One that names no class opens nothing to those close to the person: they
    read what row 23 gives whoever is named, and the rest only in so many words."""
    names = fact.detail.get("classes")
    unnamed = Class(0) if fact.detail.get("holder") == "related" else _ORDINARY
    return (union(names) if names else unnamed) & line.within


def _whose(held: Held, line: Line) -> Iterator[Whose]:
    person = ("Practitioner", held.practitioner)
    if line.of == "all":
        yield ANYONES
    if line.of == "own":
        yield Whose("author", *person)
    if line.of in ("addressed", "addressed-in-person"):
        yield Whose("addressee", *person)
    if held.organization and line.of == "service":
        yield Whose("service", "Organization", held.organization)
    if held.organization and line.of == "addressed":
        yield Whose("addressee", "Organization", held.organization)
