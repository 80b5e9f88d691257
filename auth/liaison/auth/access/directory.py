"""What the directory says that rights rest on: who acts for whom, of which profession, and which structure is part of which.

The roles themselves are rows of `held_role`, brought in line by liaison.auth.people.roles.derive.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.access import offices as access_offices
from liaison.auth.access.classify import is_psychiatric_service
from liaison.auth.access.professionals import BY_STRUCTURE
from liaison.auth.access.roles import ROLES
from liaison.auth.access.table import Table
from liaison.auth.people import professions, roles
from liaison.fhir.definitions import kind_of
from liaison.fhir.model.references import unversioned
from liaison.fhir.store.contract import Change
from liaison.fhir.store.ids import Ids

_ROLE: Final = kind_of("PractitionerRole")
_ORGANIZATION: Final = kind_of("Organization")
_PRACTITIONER: Final = kind_of("Practitioner")


def states_directory_facts(change: Change) -> bool:
    return change.key.kind in (_ROLE, _ORGANIZATION) or professions.states(change) or _comes_or_goes(change)


def _comes_or_goes(change: Change) -> bool:
    """A person who is put aside, or back. Somebody new is no longer aside than not known."""
    return change.key.kind == _PRACTITIONER and _is_aside(change.tree) != (
        change.before is not None and _is_aside(change.before)
    )


def _is_aside(tree: Mapping[str, object] | None) -> bool:
    return tree is None or tree.get("active") is False


class Touched(NamedTuple):
    """Whose patients' grants may differ: of `principals` whatever names them, of those `within` a structure, as
    (Organization, role code), what gives something to that role by the structure's name."""

    principals: frozenset[int] = frozenset()
    within: frozenset[tuple[int, str]] = frozenset()

    def __or__(self, other: "Touched") -> "Touched":
        return Touched(self.principals | other.principals, self.within | other.within)


async def derive(connection: asyncpg.Connection, ids: Ids, changes: Sequence[Change]) -> Touched:
    """Brings the rows in line with the changes; gives whom they touch, before or now."""
    stated = [change for change in changes if change.key.kind in (_ROLE, _ORGANIZATION)]
    people = [change for change in changes if professions.states(change) or _comes_or_goes(change)]
    named = [change.key.res for change in stated]
    touched = await _touched_by(connection, named)
    await roles.derive(connection, ids, stated)
    for change in stated:
        if change.key.kind == _ORGANIZATION:
            await _organization(connection, ids, change)
    for change in changes:
        if change.key.kind in (_PRACTITIONER, _ORGANIZATION):
            await _aside(connection, change)
    await professions.derive(connection, people)
    touched |= await _touched_by(connection, named)
    settled = await professions.settle(connection, touched.principals | {change.key.res for change in people})
    for role in settled:
        await roles.end_sessions(connection, role)
    return touched | await _touched_by(connection, settled)


def _structure(ids: Ids, reference: object) -> int:
    text = reference.get("reference") if isinstance(reference, Mapping) else None
    if not isinstance(text, str) or not text.startswith("Organization/"):
        return 0
    key = ids.decode("Organization", unversioned(text).removeprefix("Organization/"))
    return key.res if key else 0


async def _aside(connection: asyncpg.Connection, change: Change) -> None:
    statement = (
        "insert into put_aside (kind, res) values ($1, $2) on conflict do nothing"
        if _is_aside(change.tree)
        else "delete from put_aside where kind = $1 and res = $2"
    )
    await connection.execute(statement, change.key.kind, change.key.res)


async def _organization(connection: asyncpg.Connection, ids: Ids, change: Change) -> None:
    await connection.execute("delete from organization_part where organization = $1", change.key.res)
    if change.tree is None:
        return
    await connection.execute(
        "insert into organization_part (organization, part_of, psychiatric) values ($1, $2, $3)",
        change.key.res,
        _structure(ids, change.tree.get("partOf")),
        is_psychiatric_service(change.tree),
    )


async def _touched_by(connection: asyncpg.Connection, named: Sequence[int]) -> Touched:
    """These roles or structures; of the roles also who holds them, whom they act for, and where they are."""
    rows = await connection.fetch(
        "select role, practitioner, acts_for, organization, role_code from held_role where role = any($1::bigint[])",
        named,
    )
    people = {number for row in rows for number in tuple(row)[:3] if number}
    return Touched(frozenset({*named, *people}), frozenset((row[3], row[4]) for row in rows if row[3]))


async def touched_patients(connection: asyncpg.Connection, touched: Touched, table: Table | None) -> list[int]:
    """Patients whose grants rest on one of the principals, on someone they act for, on a structure above or below one of them,
    or on what `table` gives to a role within a structure. None: what any table could give so."""
    gives = [
        (role, int(relation))
        for relation in sorted(BY_STRUCTURE)
        for role in (sorted(ROLES) if table is None else table.resting_on(relation))
    ]
    within = sorted(touched.within)
    rows = await connection.fetch(
        _TOUCHED,
        sorted(touched.principals),
        [role for role, _ in gives],
        [relation for _, relation in gives],
        [structure for structure, _ in within],
        [role for _, role in within],
    )
    return [row[0] for row in rows]


# People of a role are reached by the role, the person and the structure, delegates by whom they act for.
_TOUCHED: Final = """
    with recursive below as (
        select unnest($1::bigint[]) as principal
        union select p.organization from organization_part p join below b on p.part_of = b.principal
    ), above as (
        select unnest($1::bigint[]) as principal
        union select p.part_of from organization_part p join above a on p.organization = a.principal
        where p.part_of <> 0
    ), named as (
        select principal from below union select principal from above
    ), roles as (
        select h.* from held_role h join named n on n.principal in (h.role, h.practitioner)
    ), within as (
        select organization, g.relation from roles join unnest($2::text[], $3::int[]) as g(role_code, relation) using (role_code)
        union select w.organization, g.relation from unnest($4::bigint[], $5::text[]) as w(organization, role_code)
        join unnest($2::text[], $3::int[]) as g(role_code, relation) using (role_code)
        union select p.part_of, w.relation from organization_part p join within w on p.organization = w.organization
    ), principals as (
        select principal from named
        union select role from roles union select practitioner from roles
        union select acts_for from roles where acts_for <> 0
        union select h.practitioner from held_role h join roles r on h.role = r.acts_for
        union select h.role from held_role h join roles r on h.practitioner = r.acts_for
    )
    select distinct r.patient from relation r
    where r.principal in (select principal from principals) or r.organization in (select principal from principals
        where principal <> 0)
        or (r.principal, r.relation) in (select organization, relation from within where organization <> 0)
    order by 1
"""


async def everyone(connection: asyncpg.Connection) -> list[int]:
    """Every patient in force, in order: for a change that concerns all, such as an auditor's appointment."""
    rows = await connection.fetch("select patient from patient where state = 0 order by patient")
    return [row[0] for row in rows]


async def offices(connection: asyncpg.Connection) -> set[tuple[object, ...]]:
    """Who is auditor or data protection officer, where and until when, and for which structures: they have traces in every
    record, so where this changes, whatever changed it, each is concerned."""
    rows = await connection.fetch(
        "select role, practitioner, organization, role_code, valid_from, valid_to from held_role"
        " where active and role_code in ('auditor', 'dpo')"
    )
    answering = await access_offices.read(connection)
    return {*(tuple(row) for row in rows), *answering.parts.items()}
