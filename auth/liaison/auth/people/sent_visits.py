"""What telephones have sent: each visit once, with what became of it. Nothing that was sent is ever refused for good."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

FILED, CHECKING, SETTLED, PROTECTED = "filed", "checking", "settled", "protected"
"""`protected`: a report of suspected abuse that no record took; it waits for those designated, and is in no other list or count."""
WHY: Final = frozenset(
    [
        *("unreadable", "permit", "device", "person", "hours", "late", "another", "answers", "unfinished"),
        *("opposed", "refused", "ended", "correction", "named"),
    ]
)
"""Why a person looks at it first. `unreadable`: it does not open, or is no letter. `permit`, `device`, `person`, `hours`: not
what the permit covers. `late`: received too long after. `another`: the same number, told otherwise. `answers`: the form does
not take them. `unfinished`: she was still writing it when her tour was erased from the telephone. `opposed`: the person had
opposed it before. `refused`: the record did not take it. `ended`: the telephone or the account had been put out of force before
it was written. `correction`: the visit that it corrects is not there, or may not be corrected by itself any
more. `named`: the person opposes somebody whose name was typed."""


class Sent(NamedTuple):
    """One visit as it was received. `patient`, `aide`: 0 when not known. `sealed`: what was told, while it waits."""

    visit: UUID
    digest: bytes
    organization: int
    patient: int
    aide: int
    brought_by: int
    phone: int
    state: str
    why: str
    sealed: bytes | None
    received_at: datetime


_COLUMNS: Final = ", ".join(Sent._fields)
NONE: Final[Mapping[str, str]] = MappingProxyType({})


async def known(connection: "asyncpg.Connection | asyncpg.Pool", visit: UUID) -> list[Sent]:
    """What was received under this number, oldest first: mostly nothing, or one."""
    rows = await connection.fetch(f"select {_COLUMNS} from sent_visit where visit = $1 order by received_at", visit)
    return [Sent(*row) for row in rows]


async def keep(connection: asyncpg.Connection, sent: Sent) -> None:
    """In the transaction that files it, or alone. The moment is the database's."""
    await connection.execute(
        "insert into sent_visit (visit, digest, organization, patient, aide, brought_by, phone, state, why, sealed)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (visit, digest) do nothing",
        *sent[:-1],
    )


async def waiting(
    connection: "asyncpg.Connection | asyncpg.Pool", organization: int, state: str = CHECKING
) -> list[Sent]:
    """What a person of this service has to look at, oldest first."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from sent_visit where organization = $1 and state = $2 order by received_at limit 200",
        organization,
        state,
    )
    return [Sent(*row) for row in rows]


async def settle(connection: asyncpg.Connection, one: Sent, *, state: str, by: int, word: bytes | None = None) -> bool:
    """It waits no longer. False when somebody else was faster. What was told stays when it was not filed, and goes once it is in
    the record."""
    return bool(
        await connection.fetchval(
            "update sent_visit set state = $3, settled_by = $4, settled_at = now(), settled = $5,"
            " sealed = case when $3 = 'filed' then null else sealed end"
            " where visit = $1 and digest = $2 and state = 'checking' returning true",
            one.visit,
            one.digest,
            state,
            by,
            word,
        )
    )
