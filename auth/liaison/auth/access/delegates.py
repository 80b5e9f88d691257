"""The rights of a substitute, a trainee or a secretary: taken from the person acted for, within both their dates."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from liaison.auth.access.classes import Class
from liaison.auth.access.relations import Relation
from liaison.auth.access.roles import ROLES
from liaison.auth.access.table import Line, Table
from liaison.auth.access.world import ANYONES, Held, Right, Whose

_ITS_AUTHORS: Final = Class.MASKED | Class.PROT
"""What whoever wrote it keeps, whomever they act for: CSP R.1111-49, row 26b."""


def is_delegate(held: Held) -> bool:
    return ROLES[held.role_code].category == "delegate"


def rights_of(held: Held, table: Table, first: Mapping[Held, Sequence[Right]]) -> Iterator[Right]:
    """`first` holds the rights of those who act for themselves, after their denials. Nobody stands in for a delegate."""
    if not held.acts_for:
        return
    sources = [other for other in first if held.acts_for in (other.role, other.practitioner)]
    for line in table.for_role(held.role_code):
        if Relation.DELEG in line.relations:
            for source in sources:
                if ROLES[source.role_code].category == "health":
                    yield from _inherited(held, line, first[source])


def _inherited(held: Held, line: Line, rights: Iterable[Right]) -> Iterator[Right]:
    for right in rights:
        if right.relation is Relation.EMERGENCY:
            continue  # The reason given is one person's.
        during = right.during.meet(held.during)
        if during is None:
            continue
        if line.extent == "same":
            if right.purpose is not line.purpose:
                continue
            copy = right._replace(
                principal=held.role,
                read=right.read & ~line.limit,
                write=right.write & ~line.limit,
                rule=line.number,
                relation=Relation.DELEG,
                during=during,
            )
            yield copy
            if right.whose.column == "author":  # and what the delegate writes in their own name, masked later or not
                own = line.limit & ~_ITS_AUTHORS
                yield copy._replace(
                    read=right.read & ~own,
                    write=right.write & ~own,
                    whose=Whose("author", "Practitioner", held.practitioner),
                )
        elif right.relation is Relation.TEAM and right.whose is ANYONES:
            purpose = line.purpose or ROLES[held.role_code].purpose
            yield Right(held.role, purpose, line.read, line.write, line.number, Relation.DELEG, during)
