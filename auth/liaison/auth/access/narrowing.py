"""While the grants follow another table, nobody has more than both tables give: what the new one takes is taken from every
record in the transaction that puts it in force; what it gives comes with the record's turn (access.regranting).

Grants are cut, not computed: each loses what its role and relationship no longer have under the same conditions, as
table_check compares them. What cannot be compared is cut too, until the record's turn: a right that another line of the new table gives
on other conditions, and what somebody in another's place has as that one loses it in any role.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, reduce
from operator import or_
from typing import Final

import asyncpg

from liaison.auth.access import clients, grants
from liaison.auth.access.classes import EVERYTHING, Class
from liaison.auth.access.relations import Relation
from liaison.auth.access.roles import ROLES
from liaison.auth.access.table import Line, Table
from liaison.auth.access.table_check import beyond
from liaison.fhir.store.contract import NAMES_HIDDEN
from liaison.fhir.vault import PatientKey, Vault

_BATCH: Final = 500
_NOTHING: Final = (Class(0), Class(0))

Cut = tuple[Class, Class]
"""What is no longer read, and no longer written."""
Cell = tuple[str, Relation, int]
"""A role, a relationship, and the row of the table by which it has a right."""


async def narrow(connection: asyncpg.Connection, vault: Vault, before: Sequence[Table], after: Table) -> int:
    """How many records have less now. `before`: every table by which some grant may be. Under grants.lock of the directory:
    nobody computes grants meanwhile, and whoever waits goes by the new table."""
    cells = lost(before, after)
    if not cells:
        return 0
    rules = sorted({rule for _role, _relation, rule in cells} | {clients.RULE})
    patients = [row[0] for row in await connection.fetch(_PATIENTS, rules)]
    count = 0
    cut = cache(lambda roles, relation, rule: _cut(cells, roles, relation, rule))  # few of them, for many grants
    for start in range(0, len(patients), _BATCH):
        count += await _narrow(connection, vault, patients[start : start + _BATCH], cut)
    return count


def lost(before: Iterable[Table], after: Table) -> dict[Cell, Cut]:
    """What each cell of these tables has that it does not have by `after`."""
    found: dict[Cell, Cut] = {}

    def add(cell: Cell, read: Class, write: Class) -> None:
        if read or write:
            had = found.get(cell, _NOTHING)
            found[cell] = had[0] | read, had[1] | write

    for table in before:
        for line in table.lines:
            for role in line.roles:
                for relation, read, write in beyond(after, role, line):
                    add((role, relation, line.number), read, write)
    for table in before:
        for line in table.lines:
            if Relation.DELEG in line.relations:
                for role in line.roles:
                    add((role, Relation.DELEG, line.number), *_in_place(role, line, table, after))
    return found


def _in_place(role: str, line: Line, before: Table, after: Table) -> Cut:
    """What whoever is in another's place loses as that one does: in whose place is not written on the grant, so in anyone's. What
    the other has on their own entries they have on theirs, and not what the other has on all. Without a line in another's
    place they lose all, what the line before kept for their own entries too."""
    alike = [one for one in after.for_role(role) if Relation.DELEG in one.relations and one.extent == line.extent]
    if not any(one.purpose is line.purpose for one in alike):
        return EVERYTHING, EVERYTHING
    if line.extent != "same":
        return (EVERYTHING, EVERYTHING) if _team_is_lost(before, after) else _NOTHING
    taken = [
        cut
        for one in before.lines
        for role in one.roles
        if ROLES[role].category == "health"
        for _relation, *cut in beyond(after, role, one, alone=True)
    ]
    return reduce(or_, (read for read, _ in taken), Class(0)), reduce(or_, (write for _, write in taken), Class(0))


def _team_is_lost(before: Table, after: Table) -> bool:
    """Whether a health profession has no right left by its team: a secretary has theirs by it."""
    return any(
        _by_team(before, code) and not _by_team(after, code)
        for code, role in ROLES.items()
        if role.category == "health"
    )


def _by_team(table: Table, role: str) -> bool:
    return any(Relation.TEAM in line.relations and line.of == "all" for line in table.for_role(role))


_PATIENTS: Final = "select distinct patient from access_grant where rule = any($1::smallint[]) order by patient"
_GRANTS: Final = f"""
    select {grants.COLUMNS}, array(
        select h.role_code from held_role h where h.role = g.principal
        union select c.role_code from client c where c.client = g.principal and c.role_code is not null) as roles
    from access_grant g where g.patient = any($1::bigint[])
"""
_MASK, _WRITE, _RULE, _RELATION = (
    grants.COLUMNS.split(", ").index(name) for name in ("mask", "write_mask", "rule", "relation")
)


async def _narrow(
    connection: asyncpg.Connection,
    vault: Vault,
    patients: list[int],
    cut_of: Callable[[tuple[str, ...], Relation, int], Cut],
) -> int:
    keys = await vault.patient_keys(connection, patients)
    old: set[grants.GrantRow] = set()
    left: set[grants.GrantRow] = set()
    for *row, roles in await connection.fetch(_GRANTS, patients):
        key, cut = keys.get(row[0]), cut_of(tuple(roles), Relation(row[_RELATION]), row[_RULE])
        new = row if key is None else _less(key, row, cut)
        old.add(tuple(row))
        if new[_MASK] or new[_WRITE]:
            left.add(tuple(new))
    await grants.put(connection, old, left)
    return len({row[0] for row in old ^ left})


def _cut(cells: Mapping[Cell, Cut], roles: Sequence[str], relation: Relation, rule: int) -> Cut:
    """Of a grant: by the role of whom it is given to, or by any where that is a person of a record. Software has what its
    role has, by whichever row."""
    read, write = _NOTHING
    for (role, of, number), cut in cells.items():
        if of is relation and (not roles or role in roles) and rule in (number, clients.RULE):
            read, write = read | cut[0], write | cut[1]
    return read, write


def _less(key: PatientKey, row: list[int], cut: Cut) -> list[int]:
    new = list(row)
    for place, taken in ((_MASK, cut[0]), (_WRITE, cut[1])):
        left = row[place] & ~key.permute(int(taken))
        new[place] = 0 if left == key.permute(NAMES_HIDDEN) else left
    return new
