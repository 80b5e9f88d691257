"""Who may read which entries: one SQL predicate, asked of the database's clock in the statement that reads them.

* The person, or their representative: the entries of their own record (rules 21 and 22), through their grants.
* The auditor and the data protection officer (rule 24): entries whose actor or whose record belongs to their
  organisation or to a part of it; the whole territory when their organisation holds a mandate, which cites the
  convention between the structures that gives it.
* Anyone else: nothing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.access.classes import Class
from liaison.auth.access.filter import CONJUNCTS
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation
from liaison.auth.access.roles import OFFICERS
from liaison.auth.access.table import Table
from liaison.auth.journal.entry import Event

_SESSION: Final = " and ".join(
    CONJUNCTS[name].format(session="$1", row="s") for name in ("session", "ended", "expired", "account", "client")
)
_OFFICER: Final = f"s.purpose = {int(Purpose.HOPERAT)} and s.role_code = any('{{{','.join(sorted(OFFICERS))}}}')"
_GRANT: Final = (
    "g.patient = e.patient and g.principal = any(s.principals) and g.purpose = s.purpose and g.rule = any({rules})"
    " and g.valid_from <= statement_timestamp() and g.valid_to > statement_timestamp()"
)
_MINE: Final = """
with recursive part (organization) as (
    select s.organization from access_session s where s.session = $1
    union select o.organization from organization_part o join part on o.part_of = part.organization
)
select organization from part where organization is not null
"""
_STAFF: Final = f"""
select p.principal from held_role h cross join lateral (values (h.role), (h.practitioner)) as p (principal)
where h.organization in ({_MINE}) and h.active
and h.valid_from <= statement_timestamp() and h.valid_to > statement_timestamp()
"""
"""Roles and persons of the auditor's organisation: a record followed by one of them belongs to it."""


def rules(table: Table) -> str:
    """The rows of the table that let someone read the traces of a record, as an SQL array."""
    numbers = sorted({line.number for line in table.lines if Class.AUD in line.read})
    return f"'{{{','.join(map(str, numbers))}}}'::smallint[]"


def visible(table: Table) -> str:
    """Boolean SQL over a row `e` of journal_entry, for the session in $1."""
    grant = _GRANT.format(rules=rules(table))
    return f"""exists (
        select from access_session s where {_SESSION}
        and (s.only_patient is null or s.only_patient = e.patient)
        and case when {_OFFICER} then {_theirs("e")}
        else e.patient <> 0 and exists (
            select from access_grant g where {grant} and g.relation <> {int(Relation.OFFICE)})
        end)"""


def officer_sees(alias: str) -> str:
    """The same for an officer alone, over a row with the columns `patient` and `organization` (of the actor)."""
    return f"exists (select from access_session s where {_SESSION} and {_OFFICER} and ({_theirs(alias)}))"


def _theirs(alias: str) -> str:
    return f"""
            exists (select from audit_mandate m where m.organization = s.organization)
            or {alias}.organization in ({_MINE})
            or {alias}.patient <> 0 and exists (
                select from relation r where r.patient = {alias}.patient
                and (r.organization in ({_MINE}) or r.principal in ({_MINE}) or r.principal in ({_STAFF}))
                and r.valid_from <= statement_timestamp() and r.valid_to > statement_timestamp())"""


async def of_theirs(
    connection: "asyncpg.Connection | asyncpg.Pool", session: int, asked: Sequence[tuple[int, int]]
) -> list[bool]:
    """Of each (patient, organisation of the actor), whether this officer may look at it."""
    rows = await connection.fetch(
        "select k.n from unnest($2::bigint[], $3::bigint[]) with ordinality as k(patient, organization, n)"
        f" where {officer_sees('k')}",
        session,
        [patient for patient, _ in asked],
        [organization for _, organization in asked],
    )
    allowed = {row["n"] for row in rows}
    return [number in allowed for number, _ in enumerate(asked, 1)]


async def of_interest(connection: "asyncpg.Connection | asyncpg.Pool", session: int, patient: int) -> bool:
    """Whether an officer has something to read of this record: it is of theirs, or somebody of theirs was in it. That one of
    their officers looked it up is no reason: who asks twice would learn that there is somebody."""
    [theirs] = await of_theirs(connection, session, [(patient, 0)])
    return theirs or bool(
        await connection.fetchval(
            "select exists (select from journal_entry e where e.patient <> 0 and e.patient = $2 and e.event <> $3"
            f" and e.organization in ({_MINE}))",
            session,
            patient,
            int(Event.JOURNAL_READ),
        )
    )


async def may_choose(connection: "asyncpg.Connection | asyncpg.Pool", session: int) -> bool:
    """Whether this officer decides for the whole territory: their organisation holds the mandate, or nobody's does."""
    return await is_officer(connection, session) and bool(
        await connection.fetchval(
            "select not exists (select from audit_mandate) or exists (select from audit_mandate m"
            " join access_session s on m.organization = s.organization where s.session = $1)",
            session,
        )
    )


async def is_officer(connection: "asyncpg.Connection | asyncpg.Pool", session: int) -> bool:
    """Whether the session reads the journal by office: it then sees whole entries, without the record's class filter."""
    found: bool = await connection.fetchval(
        f"select exists (select from access_session s where {_SESSION} and {_OFFICER})", session
    )
    return found


async def covers(connection: asyncpg.Connection, session: int, patient: int, table: Table) -> bool:
    """Whether an officer's session answers for this record: it belongs to their organisation, or they have the mandate."""
    found: bool = await connection.fetchval(
        "select exists (select from (values ($2::bigint, 0::bigint)) as e (patient, organization)"
        f" where {visible(table)})",
        session,
        patient,
    )
    return found and await is_officer(connection, session)


class Mandate(NamedTuple):
    """Whose auditors read the journal of the whole territory, and by which act."""

    organization: int
    convention: str
    since: datetime


async def mandates(connection: asyncpg.Connection) -> list[Mandate]:
    rows = await connection.fetch("select organization, convention, given_at from audit_mandate order by given_at")
    return [Mandate(*row) for row in rows]


async def convention_of(connection: "asyncpg.Connection | asyncpg.Pool", session: int) -> str:
    """By which act this officer reads the whole territory; '' for one who reads what concerns their organisation."""
    found: str | None = await connection.fetchval(
        "select m.convention from audit_mandate m join access_session s on s.organization = m.organization"
        " where s.session = $1",
        session,
    )
    return found or ""
