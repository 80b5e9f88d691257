"""The rights of system clients (row 26d): those of their owner organisation, in the role and purpose registered."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from liaison.auth.access.denials import cut, denials_of
from liaison.auth.access.professionals import rights_by
from liaison.auth.access.relations import Relation
from liaison.auth.access.table import Table, number_of
from liaison.auth.access.world import Held, Right, SystemClient, World

RULE: Final = number_of("26d")


def rights_of(
    world: World, client: SystemClient, table: Table, first: Mapping[Held, Sequence[Right]]
) -> Iterator[Right]:
    """Never more than a person of the owner organisation in the registered role would have; nothing personal."""
    for held, rights in first.items():
        if held.role_code == client.role_code and client.organization in world.structures(held.organization):
            for right in rights:
                if right.purpose is client.purpose and right.whose.type_ in ("", "Organization"):
                    yield replace(right, principal=client.client, rule=RULE)
    entered = list(_entered(world, client, table))
    yield from cut(entered, denials_of(world, (client.client, *world.structures(client.organization))))


def _entered(world: World, client: SystemClient, table: Table) -> Iterator[Right]:
    """What the client itself entered, when it was the first to open the record (row 28)."""
    standing = Held(client.client, 0, client.organization, client.role_code)
    for fact in world.facts:
        if fact.relation is Relation.AUTHOR and fact.principal == client.client:
            for line in table.for_role(client.role_code):
                if Relation.AUTHOR in line.relations:
                    for right in rights_by(standing, line, fact, fact.during):
                        if right.whose.column == "service" and right.purpose is client.purpose:
                            yield replace(right, rule=RULE)
