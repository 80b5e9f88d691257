"""Who may derive something from the facts of records: read once for several, then of each those whom its own facts concern.

They are whom a fact names, by role or by person; of a structure that a fact names, or a part of it, the roles to which the
table gives something by a structure's fact of that relation; those who act for any of these; and the officers. Nobody else is
weighed: five hundred aides of a service, to whom its name in a record gives nothing, would be at each write.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import asyncpg

from liaison.auth.access.facts.consent import NOBODY
from liaison.auth.access.intervals import BEGINNING, FOREVER, Interval
from liaison.auth.access.professionals import BY_STRUCTURE
from liaison.auth.access.roles import OFFICERS, ROLES
from liaison.auth.access.table import Table
from liaison.auth.access.world import Fact, Held


class People:
    """`held` and `wholes` are those of World, for all of the records."""

    def __init__(self, held: Iterable[Held], wholes: Mapping[int, Sequence[int]], table: Table) -> None:
        self.wholes = wholes
        self._table = table
        self._everywhere: list[Held] = []
        self._named: dict[int, list[Held]] = {}
        self._inside: dict[tuple[int, str], list[Held]] = {}
        self._delegates: dict[int, list[Held]] = {}
        for one in held:
            if one.role_code in OFFICERS:  # by their office, on records of which no fact names them
                self._everywhere.append(one)
            for number in {one.role, one.practitioner} - {0}:
                self._named.setdefault(number, []).append(one)
            for number in {one.organization, *wholes.get(one.organization, ())} - {0}:
                self._inside.setdefault((number, one.role_code), []).append(one)
            if one.acts_for:
                self._delegates.setdefault(one.acts_for, []).append(one)

    @classmethod
    async def of(cls, connection: asyncpg.Connection, facts: Sequence[Fact], table: Table) -> "People":
        """`facts`: those of all the records, those that rest included."""
        inside = sorted(_inside(facts, table))
        rows = await connection.fetch(
            _HELD,
            sorted(_named(facts)),
            [structure for structure, _ in inside],
            [role_code for _, role_code in inside],
            sorted(OFFICERS),
            BEGINNING,
            FOREVER,
        )
        held = [
            Held(role, practitioner, organization, role_code, Interval(start, end), acts_for)
            for role, practitioner, organization, role_code, acts_for, start, end in rows
            if role_code in ROLES
        ]
        wholes: dict[int, tuple[int, ...]] = {}
        structures = sorted({one.organization for one in held if one.organization})
        for start, whole in await connection.fetch(_WHOLES, structures):
            wholes[start] = (*wholes.get(start, ()), whole)
        return cls(held, wholes, table)

    def around(self, facts: Sequence[Fact]) -> list[Held]:
        """In no order. `facts`: every one of the record, those that rest included."""
        found = dict.fromkeys(self._everywhere)
        for number in _named(facts):
            found.update(dict.fromkeys(self._named.get(number, ())))
        for place in _inside(facts, self._table):
            found.update(dict.fromkeys(self._inside.get(place, ())))
        for one in list(found):
            for number in (one.role, one.practitioner):
                found.update(dict.fromkeys(self._delegates.get(number, ())))
        return list(found)


_NO_ONE: Final = frozenset({0, NOBODY})
"""Everyone, and somebody who is not known here."""


def _named(facts: Iterable[Fact]) -> set[int]:
    """Whoever the facts name. Structures are among them, and are nobody's role or person."""
    return {fact.principal for fact in facts} - _NO_ONE


def _inside(facts: Iterable[Fact], table: Table) -> set[tuple[int, str]]:
    """The structures that the facts name, each with the roles to which such a fact gives something."""
    return {
        (fact.principal, role)
        for fact in facts
        if fact.relation in BY_STRUCTURE and fact.principal not in _NO_ONE
        for role in table.resting_on(fact.relation)
    }


_HELD: Final = """
    with recursive places as (
        select * from unnest($2::bigint[], $3::text[]) as p(organization, role_code)
        union select o.organization, p.role_code from organization_part o join places p on o.part_of = p.organization
    ), first as (
        select h.* from held_role h
        where h.active and (h.role = any($1::bigint[]) or h.practitioner = any($1::bigint[]) or h.role_code = any($4::text[])
            or (h.organization, h.role_code) in (select organization, role_code from places))
    )
    select role, practitioner, organization, role_code, acts_for, greatest(valid_from, $5), least(valid_to, $6)
    from (
        select * from first
        union
        select h.* from held_role h where h.active and h.acts_for <> 0
            and h.acts_for in (select role from first union select practitioner from first)
    ) every
"""
_WHOLES: Final = """
    with recursive above as (
        select organization as start, part_of from organization_part where organization = any($1::bigint[])
        union select a.start, p.part_of from organization_part p join above a on p.organization = a.part_of
    )
    select start, part_of from above where part_of <> 0 order by start
"""
