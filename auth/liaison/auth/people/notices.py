"""What the data protection officer is told of, until they say that they have read it.

Recoveries and the sealed code, emergency accesses, cases, who is made administrator, auditor or officer, software that waits
for their word, another table of rules in force, and records destroyed when their time was over. Each is written in the transaction of the act. Numbers and codes only: names are read, with the officer's
own rights, when the page is shown, and nothing of it leaves the service.

What is about a record or an access (an emergency access, a case, a question) is told to the officers who may look at it, as the
journal is read (journal.audit_rights), and never to whom it is about; the rest to every officer.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.access import vocabulary
from liaison.auth.access.facts.reading import codes
from liaison.auth.access.reviews import Actor, actor_of
from liaison.auth.access.roles import OFFICERS
from liaison.auth.journal import audit_rights
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Change
from liaison.fhir.store.ids import Ids

OFFICES: Final = OFFICERS | {"admin"}
"""Roles whose holders can change or look into what others do."""
_TASK: Final = kind_of("Task")
_EMERGENCY: Final = "emergency-access"


_NOBODY: Final = Actor()
_SEEN: Final = f"""
from notice n left join review_case c on n.kind = 'case' and c.number = n.about
cross join lateral (select coalesce(c.patient, n.patient) as patient, coalesce(c.organization, n.organization) as organization,
                           coalesce(c.person, n.person) as person) as e
where (n.kind not in ('emergency', 'case', 'question') or {audit_rights.officer_sees("e")})
  and not exists (select from access_session s where s.session = $1 and e.person <> 0 and s.practitioner = e.person)
"""
"""Those that the officer in $1 is told of."""


class Kind(StrEnum):
    """`about` is, in turn: the number of the recovery, nothing, the Task of the review (with its patient, and who acted), the res of the
    Practitioner (with the role as `code`), the number of the vendor's request, the number of the table of rules, how many
    records were destroyed, the number of the question, the res of the Organization whose auditors read the whole journal, or
    (`code` is `ended`) do no longer."""

    RECOVERY = "recovery"
    SEALED = "sealed-code"
    EMERGENCY = "emergency"
    OFFICE = "office"
    SOFTWARE = "software"
    RULES = "rules"
    DESTRUCTION = "destruction"
    CASE = "case"
    QUESTION = "question"
    MANDATE = "mandate"


class Notice(NamedTuple):
    number: int
    kind: Kind
    about: int
    patient: int
    code: str
    at: datetime
    read_at: datetime | None


async def tell(
    connection: asyncpg.Connection,
    kind: Kind,
    about: int = 0,
    *,
    patient: int = 0,
    code: str = "",
    actor: Actor = _NOBODY,
) -> None:
    """In the transaction of the act. `actor`: whose access it is."""
    await connection.execute(
        "insert into notice (notice, kind, about, patient, code, organization, person) values ($1, $2, $3, $4, $5, $6, $7)",
        secrets.randbits(62) or 1,
        kind,
        about,
        patient,
        code,
        actor.organization,
        actor.practitioner,
    )


async def of_changes(connection: asyncpg.Connection, ids: Ids, changes: Sequence[Change]) -> None:
    """To be called by Hooks.after_write: an emergency access that was opened is told of, whoever opened it and how, until
    it is reviewed."""
    for change in changes:
        if (
            change.key.kind != _TASK
            or change.tree is None
            or _EMERGENCY not in codes(change.tree.get("code"), vocabulary.REVIEW)
        ):
            continue
        if change.interaction == "create":
            actor = await actor_of(connection, ids.decode, change.tree)
            await tell(connection, Kind.EMERGENCY, change.key.res, patient=change.key.patient, actor=actor)
        if change.tree.get("status") == "completed":
            await read(connection, Kind.EMERGENCY, change.key.res)


async def read(connection: asyncpg.Connection, kind: Kind, about: int) -> None:
    """It was dealt with elsewhere: signed off, reviewed, decided."""
    await connection.execute(
        "update notice set read_at = now() where kind = $1 and about = $2 and read_at is null", kind, about
    )


async def read_one(connection: asyncpg.Connection, session: int, number: int) -> bool:
    """False when this officer is told of no such notice, or it was read before."""
    return bool(
        await connection.fetchval(
            "update notice set read_at = now() where notice = $2 and read_at is null"
            f" and notice in (select n.notice {_SEEN}) returning true",
            session,
            number,
        )
    )


async def unread(connection: "asyncpg.Connection | asyncpg.Pool", session: int) -> int:
    """How many this officer is told of and nobody has read."""
    found: int = await connection.fetchval(f"select count(*) {_SEEN} and n.read_at is null", session)
    return found


async def latest(connection: "asyncpg.Connection | asyncpg.Pool", session: int, most: int = 200) -> list[Notice]:
    """Those that this officer is told of: what nobody has read first, then the newest."""
    rows = await connection.fetch(
        f"select n.notice, n.kind, n.about, n.patient, n.code, n.at, n.read_at {_SEEN}"
        " order by n.read_at is not null, n.at desc, n.notice limit $2",
        session,
        most,
    )
    return [Notice(row[0], Kind(row[1]), *list(row)[2:]) for row in rows]
