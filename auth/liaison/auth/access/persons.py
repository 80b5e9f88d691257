"""The rights of the person, of who represents them, and of those close to them whom a Consent names."""

from collections.abc import Iterable, Iterator

from liaison.auth.access.classes import Class
from liaison.auth.access.denials import cut, denials_of
from liaison.auth.access.intervals import Interval
from liaison.auth.access.professionals import permitted
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation
from liaison.auth.access.table import Line, Table
from liaison.auth.access.world import Fact, Right, World


def rights_of(world: World, table: Table) -> Iterator[Right]:
    """The person and their representative are not subject to their own oppositions; those close to them are, and so is
    what the person agreed to for their representative."""
    roles = {Relation.SELF: "patient", Relation.REPRESENTED: "guardian", Relation.CONSENT: "caregiver"}
    for fact in world.facts:
        role = roles.get(fact.relation)
        if role is None or (fact.relation is Relation.CONSENT and fact.detail.get("holder") != "related"):
            continue
        for line in table.for_relation(role, fact.relation):
            if role == "caregiver" or line.extent == "consent":
                yield from cut(_by(world, line, fact), denials_of(world, (fact.principal,)))
            else:
                yield from _by(world, line, fact)


def _by(world: World, line: Line, fact: Fact) -> Iterator[Right]:
    for read, during in _read(world, line, fact):
        yield Right(
            fact.principal, line.purpose or Purpose.PATRQT, read, line.write, line.number, fact.relation, during
        )


def _read(world: World, line: Line, fact: Fact) -> Iterable[tuple[Class, Interval]]:
    """The classes, and how long: by what the person agreed to for their representative, while both stand."""
    if line.extent != "consent":
        return [(line.read, fact.during)]
    if fact.relation is Relation.CONSENT:
        return [(permitted(fact, line), fact.during)]
    agreed = [
        one for one in world.about(fact.principal) if one.relation is Relation.CONSENT and one.detail.get("agreed")
    ]
    both = [(permitted(one, line), one.during.meet(fact.during)) for one in agreed]
    return [(read, during) for read, during in both if during is not None]
