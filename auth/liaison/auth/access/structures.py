"""Which structures someone belongs to: the one named and every one that it is part of."""

from collections.abc import Iterable
from typing import Final

import asyncpg

from liaison.auth.access.standing import Standing

_WITH_WHOLES: Final = """
    with recursive structures as (
        select unnest($1::bigint[]) as organization
        union select p.part_of from organization_part p join structures s on p.organization = s.organization
        where p.part_of <> 0
    )
    select organization from structures where organization <> 0
"""


async def with_wholes(connection: asyncpg.Connection, organizations: Iterable[int]) -> frozenset[int]:
    """These organisations and all that they are part of."""
    rows = await connection.fetch(_WITH_WHOLES, sorted(set(organizations) - {0}))
    return frozenset(row[0] for row in rows)


async def everything_of(connection: asyncpg.Connection, who: Standing) -> frozenset[int]:
    """Every number by which an opposition may mean the caller: the person, all their roles, all their structures."""
    rows = await connection.fetch(
        "select role, organization from held_role where practitioner = $1 and practitioner <> 0", who.practitioner
    )
    structures = await with_wholes(connection, {who.organization, *(organization for _, organization in rows)})
    people = {*who.principals, who.practitioner, who.role, *(role for role, _ in rows)} - {0}
    return structures | people
