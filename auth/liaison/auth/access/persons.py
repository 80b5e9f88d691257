"""The rights of the person, of who represents them, and of those close to them whom a Consent names."""

from collections.abc import Iterator

from liaison.auth.access.denials import cut, denials_of
from liaison.auth.access.professionals import permitted
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation
from liaison.auth.access.table import Table
from liaison.auth.access.world import Right, World


def rights_of(world: World, table: Table) -> Iterator[Right]:
    """The person and their representative are not subject to their own oppositions; those close to them are."""
    roles = {Relation.SELF: "patient", Relation.REPRESENTED: "guardian", Relation.CONSENT: "caregiver"}
    for fact in world.facts:
        role = roles.get(fact.relation)
        if role is None or (fact.relation is Relation.CONSENT and fact.detail.get("holder") != "related"):
            continue
        rights = [
            Right(
                fact.principal,
                line.purpose or Purpose.PATRQT,
                permitted(fact, line) if line.extent == "consent" else line.read,
                line.write,
                line.number,
                fact.relation,
                fact.during,
            )
            for line in table.for_role(role)
            if fact.relation in line.relations
        ]
        if role == "caregiver":
            yield from cut(rights, denials_of(world, (fact.principal,)))
        else:
            yield from rights
