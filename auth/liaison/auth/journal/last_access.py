"""When someone last looked at a record, from the journal: the pages' « depuis votre dernier passage »."""

from datetime import datetime, timedelta
from typing import Final

import asyncpg

SAME_VISIT: Final = timedelta(minutes=30)
"""Accesses closer together than this are one visit."""


async def last_access(connection: "asyncpg.Connection | asyncpg.Pool", patient: int, person: int) -> datetime | None:
    """The end of this person's visit before the present one; None when there was none.

    Walks back from now over the visit under way, which may be long: its entries are at most SAME_VISIT apart.
    """
    began: datetime | None = None
    rows = await connection.fetch(
        """
        select at, now() as now from journal_entry
        where patient = $1 and person = $2 order by at desc limit 2000
        """,
        patient,
        person,
    )
    for row in rows:
        if (began or row["now"]) - row["at"] > SAME_VISIT:
            return row["at"]  # type: ignore[no-any-return]  # timestamptz
        began = row["at"]
    return None
