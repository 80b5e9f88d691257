"""Which checkpoints are kept: each of the last day, the last of each hour for a month, the last of each day for good.

One is signed in every second that has entries. The latest vouches for everything before it, so an older one proves nothing more:
it tells where a fault begins, and a partner who keeps one has the file. Those that hand the signing key over stay, and so does
the latest. `made_at` is signed by nobody; whoever can set it can delete the row.
"""

from typing import Final

import asyncpg

from liaison.auth.journal.succession import MARK

_SWEEP: Final = """
delete from journal_checkpoint where size in (
    select size from (
        select size, note, made_at, lead(made_at) over (order by size) as following,
               case when made_at < now() - interval '31 days' then 'day' else 'hour' end as unit
        from journal_checkpoint where made_at < now() - interval '1 day'
    ) as old
    where date_trunc(unit, made_at, 'UTC') = date_trunc(unit, following, 'UTC')
        and position($1 in note) = 0)
"""


async def sweep(connection: asyncpg.Connection) -> None:
    await connection.execute(_SWEEP, MARK)
