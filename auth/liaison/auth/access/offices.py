"""What an auditor or data protection officer answers for: entries whose actor or whose record belongs to their organisation or to
a part of it, and the whole territory when a convention gives it their organisation (`audit_mandate`).

The traces themselves are narrowed alike, by journal.audit_rights. A record belongs to the structures that a fact about it names
and to those of whoever it names, for as long as both last, also while it is archived.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import asyncpg

from liaison.auth.access.intervals import ALWAYS, Interval
from liaison.auth.access.world import ANYONES, Fact, Held, Offices, Whose, World

_MANDATED: Final = "select organization from audit_mandate"
_PARTS: Final = """
    with recursive parts as (
        select distinct organization as whole, organization from held_role
        where active and role_code in ('auditor', 'dpo') and organization <> 0
        union select p.whole, o.organization from organization_part o join parts p on o.part_of = p.organization
    )
    select whole, organization from parts where whole not in (select organization from audit_mandate)
"""


async def read(connection: asyncpg.Connection) -> Offices:
    parts: dict[int, set[int]] = {}
    for whole, part in await connection.fetch(_PARTS):
        parts.setdefault(whole, set()).add(part)
    mandated = frozenset(row[0] for row in await connection.fetch(_MANDATED))
    return Offices(mandated, {whole: frozenset(of_it) for whole, of_it in parts.items()})


def covered(world: World, held: Held) -> Iterator[tuple[Interval, Whose]]:
    """When they answer for all that is in the record, and for which entries in it always."""
    if held.organization in world.offices.mandated:
        yield ALWAYS, ANYONES
        return
    theirs = world.offices.parts.get(held.organization, frozenset())
    for during in _belongs(world, theirs):
        yield during, ANYONES
    for structure in theirs:
        yield ALWAYS, Whose("service", "Organization", structure)


def _belongs(world: World, structures: frozenset[int]) -> Iterator[Interval]:
    """`structures` holds no 0."""
    for fact in world.around:
        if structures & {fact.principal, fact.organization}:
            yield fact.during
        else:
            for during in _employed(world, fact, structures):
                if (common := during.meet(fact.during)) is not None:
                    yield common


def _employed(world: World, fact: Fact, structures: Iterable[int]) -> Iterator[Interval]:
    """When whom the fact names is, or was, in one of these structures."""
    return (held.during for held in world.holding(fact.principal) if held.organization in structures)
