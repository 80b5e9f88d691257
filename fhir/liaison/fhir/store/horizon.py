"""Up to which moment the versions are all there: what lets a client ask again and again for what is new, and miss nothing.

A version has its moment (meta.lastUpdated) before its transaction commits, so it may appear after others that are later. Who
had asked meanwhile and goes on from the newest that it saw would never be shown it. So a transaction says from which moment on
it may still bring versions, before it takes that moment, and until it ends; and a history that is asked `_since` a moment
shows nothing later than what all of them say.

What it says is an advisory lock whose key is the moment: PostgreSQL lets go of it when the transaction has ended, and after
its rows can be seen, whatever became of it. Only our own transactions hold the horizon back, never longer than they last.

Limit: moments are by the clock of the database's machine. Where that is set back, later versions have earlier moments.
"""

from datetime import datetime
from typing import Final

from liaison.fhir.store.lanes import Lanes

# Keys of two numbers are ours alone (everything else that is locked by name has one): this in the upper half of the first.
_OURS: Final = 0x4C49
_HIGH, _LOW = "(ms >> 31)::integer", "(ms & 2147483647)::integer"

MOMENT: Final = f"""
    asked as materialized (select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as ms),
    moment as materialized (
        select case when pg_try_advisory_xact_lock_shared({_OURS << 16} + {_HIGH}, {_LOW})
                    then date_trunc('milliseconds', clock_timestamp()) end as at
        from asked
    )
"""
"""For a `with`: `moment` has one row, the moment `at` of all that this transaction writes. First it is said, then taken."""

TAKE: Final = f"with {MOMENT} select at from moment"

# The statement's beginning is read before the locks are: who says a moment after that takes a later one.
_HORIZON: Final = f"""
    select least(
        date_trunc('milliseconds', statement_timestamp()),
        min(timestamptz 'epoch' + (((classid::bigint & 65535) << 31) + objid::bigint) * interval '1 millisecond')
    )
    from pg_locks
    where locktype = 'advisory' and objsubid = 2 and classid::bigint >> 16 = {_OURS}
      and database = (select oid from pg_database where datname = current_database())
"""


async def horizon(lanes: Lanes) -> datetime:
    """No version that cannot be seen yet will have an earlier moment; it may have the same. What one looks at has to be
    looked at after this."""
    [[found]] = await lanes.fetch(_HORIZON)
    assert isinstance(found, datetime)
    return found
