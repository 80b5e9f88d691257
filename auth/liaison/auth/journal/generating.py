"""Entries over many months, for benchmarks: invented acts of the people of a base on its records, each month under its own key.

They are sealed and integrated as those of the service are, so that everything that reads the journal can be measured on a
long one; nothing tells them from entries of real acts. So a base for real people must never have any: the command refuses.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import asyncpg

from liaison.auth.access.relations import Relation
from liaison.auth.access.table import number_of
from liaison.auth.journal.entry import OUTCOME_REFUSED, Entry, Event
from liaison.auth.journal.integrator import LOCK, MOST, Integrator
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.journal.sealing import COLUMNS, GENESIS, Record, body, seal, worker_key

GROUP: Final = MOST - 2
"""Entries of one transaction, beside the first and the last of its chain: one pass of the integrator."""
SEED: Final = 20261129
Progress = Callable[[int], None]

_PEOPLE: Final = "select practitioner, role, organization, role_code from held_role order by role limit 500"
_ROWS: Final = """
select patient, (array_agg(kind order by res))[:8], (array_agg(res order by res))[:8], (array_agg(version order by res))[:8]
from version where superseded is null group by patient order by patient limit 5000
"""
_CLIENTS: Final = "select client from client order by client limit 20"
_MIX: Final = (
    (Event.READ, 60),
    (Event.SEARCH, 20),
    (Event.UPDATE, 5),
    (Event.CREATE, 5),
    (Event.TOKEN, 4),
    (Event.SIGN_IN, 3),
    (Event.OPERATION, 2),
    (Event.EXPORT, 1),
)
_REFUSED: Final = 0.02
_RULE: Final = number_of("2")
_ABOUT_A_RECORD: Final = frozenset({Event.READ, Event.SEARCH, Event.UPDATE, Event.CREATE, Event.OPERATION})


class NobodyThere(Exception):
    """The base holds no record or nobody with a role: there is no act to invent."""


class Busy(Exception):
    """A service integrates the journal of this base."""


class Territory(NamedTuple):
    """Whose acts on which records: (practitioner, role, organisation, role code); (patient, kinds, res, versions)."""

    people: Sequence[tuple[int, int, int, str]]
    records: Sequence[tuple[int, list[int], list[int], list[int]]]
    clients: Sequence[int]


async def generate(
    connection: asyncpg.Connection, keys: JournalKeys, count: int, months: int, progress: Progress = lambda _: None
) -> int:
    """Writes `count` entries or a few more over the `months` that end now, oldest first, and integrates them. How many.

    Raises NobodyThere, or Busy while a service runs on this base. Stopped, what was written stays, whole.
    """
    territory = await _territory(connection)
    if not await connection.fetchval("select pg_try_advisory_lock($1)", LOCK):
        raise Busy
    now: datetime = await connection.fetchval("select clock_timestamp()")
    try:
        integrator = Integrator(keys)
        await integrator.take(connection)
        await _integrated(integrator, connection)
        chosen, written = random.Random(SEED), 0  # the same acts each time; no secret
        for begin, end in _months(now.astimezone(UTC), months):
            await keys.turn(connection, begin)
            left = -(-count // months)
            while left > 0:
                group = min(left, GROUP)
                records = list(_chain(keys, chosen, territory, begin, end, group))
                await connection.copy_records_to_table("journal_entry", records=records, columns=COLUMNS)
                await _integrated(integrator, connection)
                left, written = left - group, written + len(records)
                progress(written)
        return written
    finally:
        await keys.turn(connection, now)
        await connection.execute("select pg_advisory_unlock($1)", LOCK)


async def _integrated(integrator: Integrator, connection: asyncpg.Connection) -> None:
    while await integrator.integrate(connection) == MOST:
        pass


async def _territory(connection: asyncpg.Connection) -> Territory:
    people = [tuple(row) for row in await connection.fetch(_PEOPLE)]
    records = [tuple(row) for row in await connection.fetch(_ROWS)]
    if not people or not records:
        raise NobodyThere
    return Territory(people, records, [row[0] for row in await connection.fetch(_CLIENTS)] or [1])


def _months(now: datetime, count: int) -> Iterator[tuple[datetime, datetime]]:
    """The first and last moment of each month, the oldest first; the last ends now."""
    for back in range(count - 1, -1, -1):
        whole = now.year * 12 + now.month - 1 - back
        begin = datetime(whole // 12, whole % 12 + 1, 1, tzinfo=UTC)
        following = datetime((whole + 1) // 12, (whole + 1) % 12 + 1, 1, tzinfo=UTC)
        yield begin, min(following, now)


def _chain(
    keys: JournalKeys, chosen: random.Random, there: Territory, begin: datetime, end: datetime, count: int
) -> Iterator[Record]:
    """One ended chain of a process that lived from `begin` to `end`."""
    worker, generation = chosen.getrandbits(63) or 1, keys.generation
    key, previous = worker_key(keys.key(generation), worker), GENESIS
    moments = sorted(chosen.random() for _ in range(count))
    acts = [Entry(Event.CHAIN_START), *(_act(chosen, there) for _ in range(count)), Entry(Event.CHAIN_END)]
    length = (end - begin - timedelta(seconds=1)) / timedelta(microseconds=1)
    for sequence, (one, moment) in enumerate(zip(acts, [0.0, *moments, 1.0], strict=True), 1):
        at = begin + timedelta(microseconds=int(length * moment))
        record, previous = seal(key, (generation, worker, sequence, previous), (*_clear(one, at), body(one)))
        yield record


def _clear(one: Entry, at: datetime) -> tuple[int, int, datetime, int, int, int]:
    return one.event, one.outcome, at, one.patient, one.person, one.organization


def _act(chosen: random.Random, there: Territory) -> Entry:
    event = chosen.choices([event for event, _ in _MIX], [share for _, share in _MIX])[0]
    # A few people do much, a few records are opened often.
    practitioner, role, organization, code = there.people[int(len(there.people) * chosen.random() ** 2)]
    patient, kinds, found, versions = there.records[int(len(there.records) * chosen.random() ** 2)]
    session, client = chosen.getrandbits(40), chosen.choice(there.clients)
    common: dict[str, Any] = {
        "person": practitioner, "organization": organization, "session": session, "purpose": 1, "role_code": code,
        "role": role, "client": client, "request": f"{chosen.getrandbits(64):016x}", "address": "192.0.2.7",
    }  # fmt: skip
    if chosen.random() < _REFUSED:
        return Entry(
            Event.READ, OUTCOME_REFUSED, status=404, method="GET", path="Observation/none", requested=("Observation", "none"), **common
        )  # fmt: skip
    if event not in _ABOUT_A_RECORD:
        return Entry(event, method="POST", path="/token", **common)
    which = range(len(found)) if event == Event.SEARCH else [chosen.randrange(len(found))]
    items = tuple((kinds[n], found[n], versions[n], _RULE, int(Relation.TEAM)) for n in which)
    return Entry(event, patient=patient, items=items, method="GET", path="Observation", query="", **common)
