"""What the data protection officer is told of, until they say that they have read it.

Recoveries and the sealed code, emergency accesses, cases, who is made administrator, auditor or officer, software that waits
for their word, another table of rules in force, and records destroyed when their time was over. Each is written in the transaction of the act. Numbers and codes only: names are read, with the officer's
own rights, when the page is shown, and nothing of it leaves the service.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.access import vocabulary
from liaison.auth.access.facts.reading import codes
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Change

OFFICES: Final = frozenset({"admin", "auditor", "dpo"})
"""Roles whose holders can change or look into what others do."""
_TASK: Final = kind_of("Task")
_EMERGENCY: Final = "emergency-access"


class Kind(StrEnum):
    """`about` is, in turn: the number of the recovery, nothing, the Task of the review (with its patient), the res of the
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


async def tell(connection: asyncpg.Connection, kind: Kind, about: int = 0, *, patient: int = 0, code: str = "") -> None:
    """In the transaction of the act."""
    await connection.execute(
        "insert into notice (notice, kind, about, patient, code) values ($1, $2, $3, $4, $5)",
        secrets.randbits(62) or 1,
        kind,
        about,
        patient,
        code,
    )


async def of_changes(connection: asyncpg.Connection, changes: Sequence[Change]) -> None:
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
            await tell(connection, Kind.EMERGENCY, change.key.res, patient=change.key.patient)
        if change.tree.get("status") == "completed":
            await read(connection, Kind.EMERGENCY, change.key.res)


async def read(connection: asyncpg.Connection, kind: Kind, about: int) -> None:
    """It was dealt with elsewhere: signed off, reviewed, decided."""
    await connection.execute(
        "update notice set read_at = now() where kind = $1 and about = $2 and read_at is null", kind, about
    )


async def read_one(connection: asyncpg.Connection, number: int) -> bool:
    """False when there is no such notice, or it was read before."""
    return bool(
        await connection.fetchval(
            "update notice set read_at = now() where notice = $1 and read_at is null returning true", number
        )
    )


async def unread(connection: "asyncpg.Connection | asyncpg.Pool") -> int:
    found: int = await connection.fetchval("select count(*) from notice where read_at is null")
    return found


async def latest(connection: "asyncpg.Connection | asyncpg.Pool", most: int = 200) -> list[Notice]:
    """Those that nobody has read first, then the newest."""
    rows = await connection.fetch(
        "select notice, kind, about, patient, code, at, read_at from notice"
        " order by read_at is not null, at desc, notice limit $1",
        most,
    )
    return [Notice(row[0], Kind(row[1]), *list(row)[2:]) for row in rows]
