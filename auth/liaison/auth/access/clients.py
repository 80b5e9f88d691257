"""The rights of system clients (row 26d): those of their owner organisation, in the role and purpose registered."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from liaison.auth.access.classes import Class
from liaison.auth.access.denials import cut, denials_of
from liaison.auth.access.relations import Relation
from liaison.auth.access.table import Table, number_of
from liaison.auth.access.world import Held, Right, SystemClient, Whose, World

RULE: Final = number_of("26d")


def rights_of(
    world: World, client: SystemClient, table: Table, first: Mapping[Held, Sequence[Right]]
) -> Iterator[Right]:
    """Never more than a person of the owner organisation in the registered role would have; nothing personal.

    Nothing masked either (row 25): a structure is neither the author nor the attending doctor."""
    for right in _of_the_structure(world, client, table, first):
        yield right._replace(read=right.read & ~Class.MASKED, write=right.write & ~Class.MASKED)


def _of_the_structure(
    world: World, client: SystemClient, table: Table, first: Mapping[Held, Sequence[Right]]
) -> Iterator[Right]:
    for held, rights in first.items():
        if held.role_code == client.role_code and client.organization in world.structures(held.organization):
            for right in rights:
                if right.purpose is client.purpose and right.whose.type_ in ("", "Organization"):
                    yield right._replace(principal=client.client, rule=RULE)
    entered = list(_entered(world, client, table))
    yield from cut(entered, denials_of(world, (client.client, *world.structures(client.organization))))


def _entered(world: World, client: SystemClient, table: Table) -> Iterator[Right]:
    """What the owner organisation entered, when its software was the first to open the record (row 28)."""
    whose = Whose("service", "Organization", client.organization)
    for fact in world.facts:
        if fact.relation is Relation.AUTHOR and fact.principal == client.client:
            for line in table.for_role(client.role_code):
                if Relation.AUTHOR in line.relations:
                    yield Right(
                        client.client, client.purpose, line.read, line.write, RULE, fact.relation, fact.during, whose
                    )
