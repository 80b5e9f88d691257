"""An officer whose own access was reviewed reads neither the review nor the case: not on the desk, and not in the journal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import asyncpg

if TYPE_CHECKING:
    from liaison.auth.journal.audit_reader import Seen

_OWN: Final = """
with one as (select principals from access_session where session = $1)
select 'case' as name, c.number from one join review_case c on c.person = any(one.principals)
union all select 'access', a.access from one join unusual_access a on a.person = any(one.principals)
"""
"""Cases about whoever asks, and their accesses that were found unusual. The principals of a session hold its person."""


async def without_oneself(connection: asyncpg.Connection, session: int, seen: "Sequence[Seen]") -> "list[Seen]":
    """The entries but those of a case, or of the review of an access, that is about the caller."""
    if not any({"case", "access"} & (one.entry.detail or {}).keys() for one in seen):
        return list(seen)
    own = {(row["name"], row["number"]) for row in await connection.fetch(_OWN, session)}
    return [
        one for one in seen if not any((name, (one.entry.detail or {}).get(name)) in own for name in ("case", "access"))
    ]
