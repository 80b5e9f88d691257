"""How large the journal is, of what it is made, and what of it can still be read. Counts alone: nobody is named."""

from typing import Final, NamedTuple

import asyncpg

from liaison.auth.journal.entry import event_name

OUTCOMES: Final = {0: "success", 4: "refused", 8: "failed"}
_WHOLE: Final = """
select (select count(*) from journal_entry) as entries, (select count(*) from journal_checkpoint) as checkpoints,
       (select count(*) from journal_position) as placed,
       (select min(at) from journal_entry) as first, (select max(at) from journal_entry) as last,
       (select coalesce(sum(pg_total_relation_size(oid)), 0)::bigint from pg_class
        where relname in ('journal_entry', 'journal_position', 'journal_tile', 'journal_checkpoint')
        and relnamespace = current_schema()::regnamespace) as bytes
"""
_GROUPED: Final = """
select event, outcome, generation, count(*) as count from journal_entry group by 1, 2, 3
"""


class Statistics(NamedTuple):
    """`months` by the key that seals them (2026-11); `readable` are those whose key is still there."""

    entries: int
    waiting: int
    checkpoints: int
    bytes: int
    bytes_per_entry: float
    first: str
    last: str
    events: dict[str, int]
    outcomes: dict[str, int]
    months: dict[str, int]
    readable: list[str]


def month(generation: int) -> str:
    return f"{generation // 100:04d}-{generation % 100:02d}"


async def of(connection: asyncpg.Connection) -> Statistics:
    whole = await connection.fetchrow(_WHOLE)
    events: dict[str, int] = {}
    outcomes: dict[str, int] = {}
    months: dict[str, int] = {}
    for event, outcome, generation, count in await connection.fetch(_GROUPED):
        for counts, name in (
            (events, event_name(event)),
            (outcomes, OUTCOMES.get(outcome, str(outcome))),
            (months, month(generation)),
        ):
            counts[name] = counts.get(name, 0) + count
    kept = await connection.fetch("select generation from journal_key where purpose = 'seal' order by 1")
    return Statistics(
        whole["entries"],
        whole["entries"] - whole["placed"],
        whole["checkpoints"],
        whole["bytes"],
        round(whole["bytes"] / max(whole["entries"], 1), 1),
        whole["first"].isoformat() if whole["first"] else "",
        whole["last"].isoformat() if whole["last"] else "",
        dict(sorted(events.items(), key=lambda one: -one[1])),
        dict(sorted(outcomes.items())),
        dict(sorted(months.items())),
        [month(row["generation"]) for row in kept],
    )
