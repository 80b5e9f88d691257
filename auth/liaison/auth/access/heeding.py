"""An opposition ends the emergency accesses and the calls that it would have refused, in the transaction that writes it, and
one that comes while they are being opened refuses them: the order changes nothing (CSP L.1111-17 I: unless the person objected before).

In the record that it is said in, what it denies is cut out of the grants already; here the access itself ends, there and in
every other record that may be the same person's (`one_person`), so it does not come back when the opposition ends. Its task
says so and its sessions are over, on every worker, at the next request.

Not seen here: an opposition whose period begins later, and a record that becomes the person's double later, by other traits.
The next token of the access asks about both.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.access import duplicates, grants, vocabulary
from liaison.auth.access.classify import classify
from liaison.auth.access.denials import DENIALS
from liaison.auth.access.facts.reading import codes
from liaison.auth.access.one_person import may_be_the_same
from liaison.auth.access.oppositions import EVERYTHING_STATED, OPPOSED, STORED
from liaison.auth.access.relations import Relation
from liaison.auth.access.world import Fact
from liaison.auth.sessions import end_family
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import NotFound
from liaison.fhir.model import dump, read
from liaison.fhir.store import identity as tokens
from liaison.fhir.store import rows
from liaison.fhir.store.contract import Change, Key, Row, Tree
from liaison.fhir.store.ids import Ids
from liaison.fhir.vault import Vault

_PATIENT: Final = kind_of("Patient")
_TASK: Final = kind_of("Task")
_ACCESS: Final = (Relation.EMERGENCY, Relation.CALL)
_WHY: Final = {"text": "La personne s'y oppose."}


class _Open(NamedTuple):
    """An access that is open: its task, who opened it, and whether it is for an emergency."""

    task: Key
    practitioner: int
    role: int
    organization: int
    emergency: bool

    def asked(self) -> tuple[object, ...]:
        """What OPPOSED asks of whoever opened it."""
        named = [number for number in (self.practitioner, self.role) if number]
        denials = [Relation.DENY, Relation.EMERGENCY_OBJECTION] if self.emergency else [Relation.DENY]
        everyone = Relation.EMERGENCY_OBJECTION if self.emergency else Relation.DENY
        return named, self.organization, denials, everyone, self.practitioner, None


async def end_opposed(
    connection: asyncpg.Connection, vault: Vault, ids: Ids, patient: int, facts: Sequence[Fact], at: datetime
) -> list[Change]:
    """The tasks of what these facts about this patient refuse, as they are to be written besides: over. Their sessions end here."""
    said = [fact for fact in facts if fact.relation in DENIALS]
    around = await _around(connection, patient) if said else []
    if not around:
        return []
    await grants.lock(connection, around)  # whoever opens one of these records at this moment is waited for
    refused = [one for one in await _open_in(connection, around) if await _opposes(connection, said, one)]
    if not refused:
        return []
    same = await _the_same(connection, vault, ids, patient, {one.task.patient for one in refused})
    found = await _current(connection, vault, [one.task for one in refused if one.task.patient in same])
    changes = []
    for row, tree in found:
        changes.append(_ended(row, tree, at))
        await end_family(connection, row.key.res)
    return changes


async def refuse_opposed(
    connection: asyncpg.Connection, vault: Vault, ids: Ids, patient: int, facts: Sequence[Fact]
) -> None:
    """Raises NotFound for an access or a call that is being opened against what was said since its opener asked."""
    opening = [fact for fact in facts if fact.relation in _ACCESS]
    around = await _around(connection, patient) if opening else []
    await grants.lock(connection, around)  # who says so at this moment is waited for, or waits
    for fact in opening:
        opener = await connection.fetchrow(_OPENER, fact.principal, fact.relation, Relation.EMERGENCY)
        if opener is None:
            raise NotFound
        one = _Open(Key(patient, *fact.source), *opener)
        opposed = {
            other for other in around if await connection.fetchval(OPPOSED.format(stated=STORED), other, *one.asked())
        }
        if await _the_same(connection, vault, ids, patient, opposed):
            raise NotFound


async def _around(connection: asyncpg.Connection, patient: int) -> list[int]:
    """This person and all who share an identifier, or a name and birth date, with them."""
    mine = await connection.fetch(
        "select space, token from identity_token where patient = $1 and kind = $2 and space = any($3::smallint[])",
        patient,
        _PATIENT,
        [tokens.IDENTIFIER, tokens.TRAITS],
    )
    others = await connection.fetch(
        "select distinct t.patient from identity_token t"
        " join unnest($1::smallint[], $2::bytea[]) as k(space, token) on t.space = k.space and t.token = k.token"
        " where t.kind = $3",
        [space for space, _ in mine],
        [token for _, token in mine],
        _PATIENT,
    )
    return sorted({patient, *(other for (other,) in others)})


_OPENER: Final = """
    select practitioner, role, organization, $2::smallint = $3 or role_code = 'regulating-doctor' from held_role
    where role = $1 or practitioner = $1 order by role = $1 desc limit 1
"""
_OPEN: Final = """
    select distinct on (r.patient, r.source_res) r.patient, r.source_kind, r.source_res, h.practitioner, h.role,
        h.organization, r.relation = $2 or h.role_code = 'regulating-doctor'
    from relation r join held_role h on h.role = r.principal or h.practitioner = r.principal
    where r.patient = any($1::bigint[]) and r.relation = any($3::smallint[]) and r.valid_to > now()
    order by r.patient, r.source_res, h.role = r.principal desc
"""


async def _open_in(connection: asyncpg.Connection, patients: Sequence[int]) -> list[_Open]:
    found = await connection.fetch(_OPEN, patients, Relation.EMERGENCY, list(_ACCESS))
    return [_Open(Key(*row[:3]), *row[3:]) for row in found]


async def _opposes(connection: asyncpg.Connection, said: Sequence[Fact], one: _Open) -> bool:
    stated = [
        {
            "principal": fact.principal,
            "relation": int(fact.relation),
            "valid_from": fact.during.start.isoformat(),
            "valid_to": fact.during.end.isoformat(),
            "detail": dict(fact.detail),
        }
        for fact in said
    ]
    return bool(
        await connection.fetchval(
            OPPOSED.format(stated=EVERYTHING_STATED),
            json.dumps(stated),
            *one.asked(),
        )
    )


async def _the_same(connection: asyncpg.Connection, vault: Vault, ids: Ids, patient: int, others: set[int]) -> set[int]:
    """Those of these patients who may be this one: not told apart, and alike."""
    if not others - {patient}:
        return others
    people = await connection.fetch(
        f"select {rows.COLUMNS}, null from version v"  # our own words
        " where v.patient = any($1::bigint[]) and v.kind = $2 and v.superseded is null and not v.deleted",
        sorted({patient, *others}),
        _PATIENT,
    )
    trees = {row.key: tree for row, tree in await _opened(connection, vault, people)}
    mine = next((key for key in trees if key.patient == patient), None)
    if mine is None:
        return others & {patient}
    pairs = {
        other: duplicates.number_of(vault, _named(ids, mine), _named(ids, other))
        for other in trees
        if may_be_the_same(trees[mine], trees[other])
    }
    numbers = {other: tokens.identifier_token(vault, duplicates.PAIR, pair) for other, pair in pairs.items()}
    apart = await connection.fetch(
        "select token from identity_token where space = $1 and token = any($2::bytea[]) and kind = $3",
        tokens.IDENTIFIER,
        list(numbers.values()),
        _TASK,
    )
    told = {token for (token,) in apart}
    return others & ({other.patient for other in trees if other in numbers and numbers[other] not in told} | {patient})


def _named(ids: Ids, patient: Key) -> str:
    return f"Patient/{ids.encode(patient)}"


async def _current(connection: asyncpg.Connection, vault: Vault, tasks: Sequence[Key]) -> list[tuple[Row, Tree]]:
    found = await connection.fetch(
        f"select {rows.COLUMNS}, null from version v"  # our own words
        " join unnest($1::bigint[], $2::smallint[], $3::bigint[]) as k(patient, kind, res)"
        " on v.patient = k.patient and v.kind = k.kind and v.res = k.res"
        " where v.superseded is null and not v.deleted",
        [key.patient for key in tasks],
        [key.kind for key in tasks],
        [key.res for key in tasks],
    )
    return await _opened(connection, vault, found)


async def _opened(
    connection: asyncpg.Connection, vault: Vault, found: Sequence[asyncpg.Record]
) -> list[tuple[Row, Tree]]:
    kept = [rows.row_of(record) for record in found]
    keys = await vault.patient_keys(connection, {row.key.patient for row in kept})
    return [(row, read(rows.open_(keys[row.key.patient], row))) for row in kept if row.key.patient in keys]


def _ended(row: Row, tree: Tree, at: datetime) -> Change:
    """A call is over by its status; an emergency access stays in the review list, and its period says when it ended."""
    now = at.isoformat(timespec="seconds")
    restriction = tree["restriction"]
    ended = {
        **tree,
        "meta": {**tree["meta"], "versionId": str(row.version + 1), "lastUpdated": at.isoformat(timespec="milliseconds")},
        "statusReason": _WHY,
        "restriction": {**restriction, "period": {**restriction["period"], "end": now}},
        "lastModified": now,
    }  # fmt: skip
    if "call" in codes(tree.get("code"), vocabulary.PLATFORM):
        ended |= {"status": "cancelled", "executionPeriod": {**tree["executionPeriod"], "end": now}}
    return Change(
        "update",
        row.key,
        "Task",
        row.version + 1,
        ended,
        tree,
        row,
        labels=classify(ended, {}),
        body=dump(ended),
        at=at,
    )
