"""The journal looked through by the rules: what is new since the last pass, or a period of the past to try a rule on.

A pass keeps what it found and how far it looked in one transaction, so that nothing is looked at twice or left out. An entry
whose month's key was destroyed is passed over: nobody can read it any more.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple, TypeAlias

import asyncpg

from liaison.auth.access import internal
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.journal.sealing import COLUMNS, Damaged, Record, unseal
from liaison.auth.unusual import choices
from liaison.auth.unusual.choices import Watched
from liaison.auth.unusual.evidence import Evidence
from liaison.auth.unusual.firing import COUNTED, TESTS, Facts
from liaison.auth.unusual.openings import (
    HOUR,
    ONE_BY_ONE,
    PARIS,
    TOGETHER,
    Looked,
    Opening,
    by_a_professional,
    crossings,
    openings,
)
from liaison.auth.unusual.table import Rule
from liaison.fhir.errors import TooCostly
from liaison.fhir.store import Store

Connection: TypeAlias = asyncpg.Connection | asyncpg.Pool

AT_ONCE: Final = 2_000
BUDGET: Final = 50_000
"""Entries that a rule is tried on at once; those of another kind than it looks at do not count."""
_ENTRY: Final = ", ".join(f"e.{column}" for column in COLUMNS)
_NEXT: Final = f"""
select p.position, {_ENTRY} from journal_position p join journal_entry e using (worker, sequence)
where p.position >= $1 order by p.position limit {AT_ONCE}
"""
_BETWEEN: Final = f"""
select {_ENTRY} from journal_entry e where e.at >= $1 and e.at < $2 and e.person <> 0 and e.event = any($3::smallint[])
order by e.at, e.worker, e.sequence limit {BUDGET + 1}
"""
_HOUR_BEFORE: Final = f"""
select {_ENTRY} from journal_entry e where e.person = any($1::bigint[]) and e.at >= $2 and e.at < $3
and e.event = any($4::smallint[]) order by e.at, e.worker, e.sequence
"""


class Finding(NamedTuple):
    """A rule that fired. `opening` says who, on whose record, when, and which entry began it."""

    watched: Watched
    opening: Opening
    facts: Facts


class Passed(NamedTuple):
    """`more`: there are entries that this pass did not come to. `choices` are where each choice looks next."""

    findings: list[Finding]
    choices: dict[int, int]
    more: bool


async def opened(connection: Connection, keys: JournalKeys, records: Iterable[Record]) -> list[Looked]:
    """Those that can be read."""
    kept = list(records)
    if any(not keys.holds(one.generation) for one in kept):
        await keys.refresh(connection)
    found = []
    for number, one in enumerate(kept, 1):
        if not number % AT_ONCE:
            await asyncio.sleep(0)  # others are answered meanwhile
        if keys.holds(one.generation):
            try:
                found.append(Looked(one, unseal(keys, one)))
            except Damaged:
                continue  # what was altered is found and named by `liaison journal verify`
    return found


async def passed(connection: asyncpg.Connection, store: Store, keys: JournalKeys, base_url: str) -> Passed | None:
    """One pass, nothing kept yet; None where no rule is on or nothing is new."""
    on = await choices.watched(connection)
    places = dict(await connection.fetch("select choice, position from unusual_progress"))
    on = [one for one in on if one.choice in places]
    if not on:
        return None
    rows = await connection.fetch(_NEXT, min(places[one.choice] for one in on))
    if not rows:
        return None
    positions = [row["position"] for row in rows]
    records = [Record(*list(row)[1:]) for row in rows]
    looked = dict(zip(((one.worker, one.sequence) for one in records), positions, strict=True))
    entries = await opened(connection, keys, records)
    findings = []
    async with _looking(store, connection, base_url, entries) as evidence:
        for one in on:
            own = [each for each in entries if looked[each.record.worker, each.record.sequence] >= places[one.choice]]
            findings += await evaluated(connection, store, keys, evidence, one, own)
    following = {one.choice: max(places[one.choice], positions[-1] + 1) for one in on}
    return Passed(findings, following, len(rows) == AT_ONCE)


async def tried(
    connection: Connection,
    store: Store,
    keys: JournalKeys,
    base_url: str,
    watched: Watched,
    until: date,
) -> list[Finding]:
    """What the rule would have found from `watched.since` to the end of `until`; nothing is kept. TooCostly for a period of
    too many entries. Give it the pool: while it looks, it needs others of the store's connections, and who holds one while
    all are held waits for ever."""
    begins, ends = _midnight(watched.since), _midnight(until + timedelta(days=1))
    rows = await connection.fetch(_BETWEEN, begins, ends, _kinds(watched.rule))
    if len(rows) > BUDGET:
        raise TooCostly(f"More than {BUDGET} entries of the journal: choose fewer days.")
    entries = await opened(connection, keys, [Record(*row) for row in rows])
    async with _looking(store, connection, base_url, entries) as evidence:
        return await evaluated(connection, store, keys, evidence, watched, entries)


@asynccontextmanager
async def _looking(
    store: Store, connection: Connection, base_url: str, entries: Sequence[Looked]
) -> AsyncIterator[Evidence | None]:
    """One session of the internal principal for all rules of a pass; None where no professional did anything."""
    if not any(by_a_professional(one.entry) for one in entries):
        yield None
        return
    cell = await internal.open_session(store.database.writing, "unusual")
    try:
        yield Evidence(store, connection, cell, base_url)
    finally:
        await internal.close_session(store.database.writing, cell)


async def evaluated(
    connection: Connection,
    store: Store,
    keys: JournalKeys,
    evidence: Evidence | None,
    watched: Watched,
    entries: Sequence[Looked],
) -> list[Finding]:
    """What one rule finds in these entries, of its first day on. Nothing of a record that was destroyed: what explained its
    openings went with it."""
    rule = watched.rule
    own = [one for one in entries if one.record.at >= _midnight(watched.since)]
    if not own or evidence is None:
        return []
    if rule.name in COUNTED:
        before = await _hour_before(connection, keys, own, _kinds(rule))
        crossed = crossings(sorted([*before, *own], key=_time), COUNTED[rule.name], watched.values["records"])
        new = {(one.record.worker, one.record.sequence) for one in own}
        return [
            Finding(watched, opening, {"records": count})
            for opening, count in crossed
            if (opening.worker, opening.sequence) in new and await evidence.is_there(opening.patient)
        ]
    found, explaining = [], rule.explaining
    for opening in openings(own, store.key):
        if opening.relations & explaining:
            continue  # nothing needs to be asked: most are
        if not await evidence.is_there(opening.patient):
            continue
        facts = await TESTS[rule.name](opening, watched.values, evidence, store.vault)
        if facts is not None and not await evidence.explained(opening, rule):
            found.append(Finding(watched, opening, facts))
    return found


def _kinds(rule: Rule) -> list[int]:
    """Of the entries that the rule looks at."""
    return sorted(COUNTED.get(rule.name, ONE_BY_ONE | TOGETHER))


async def _hour_before(
    connection: Connection, keys: JournalKeys, own: Sequence[Looked], kinds: Sequence[int]
) -> list[Looked]:
    """What these people did in the hour before: it counts, and was looked at already."""
    first = min(one.record.at for one in own)
    people = sorted({one.record.person for one in own})
    rows = await connection.fetch(_HOUR_BEFORE, people, first - HOUR, first, kinds)
    known = {(one.record.worker, one.record.sequence) for one in own}
    records = [Record(*row) for row in rows]
    return await opened(connection, keys, [one for one in records if (one.worker, one.sequence) not in known])


def _time(one: Looked) -> tuple[datetime, int, int]:
    return one.record.at, one.record.worker, one.record.sequence


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=PARIS)
