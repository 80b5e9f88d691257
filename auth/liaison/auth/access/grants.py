"""From `relation` rows to `access_grant` rows, in the transaction that changes a fact.

Whoever changes facts takes `lock` before reading any: two changes about one patient follow each other, and the second
sees what the first wrote. Computing again from the same facts gives the same rows; a rebuild is nothing else.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any, Final

import asyncpg

from liaison.auth.access import adopted, offices
from liaison.auth.access.around import People
from liaison.auth.access.decide import decide
from liaison.auth.access.denials import DENIALS
from liaison.auth.access.intervals import Interval
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation
from liaison.auth.access.roles import ROLES
from liaison.auth.access.table import Table
from liaison.auth.access.world import Fact, Right, Source, SystemClient, Whose, World
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import NAMES_HIDDEN, Key
from liaison.fhir.store.ids import Ids
from liaison.fhir.store.rows import owner_token
from liaison.fhir.vault import PatientKey, Vault

_DIRECTORY_LOCK: Final = 0x11A155
_BATCH: Final = 200

GrantRow = tuple[Any, ...]
"""The columns of access_grant, in order."""


async def lock(connection: asyncpg.Connection, patients: Iterable[int], *, directory: bool = False) -> None:
    """Held until the transaction ends. Facts of different patients change side by side, those of the directory alone."""
    shared = "" if directory else "_shared"
    await connection.execute(f"select pg_advisory_xact_lock{shared}($1)", _DIRECTORY_LOCK)
    wanted = sorted(set(patients))
    if wanted:
        await connection.execute(
            "select from patient where patient = any($1::bigint[]) order by patient for no key update", wanted
        )


async def recompute(connection: asyncpg.Connection, vault: Vault, patients: Iterable[int]) -> None:
    """Brings the grants of these patients in line with their facts and the table in force, under `lock`: whoever adopts
    a table waits for it, and is waited for. Those of an erased patient are deleted."""
    everyone = sorted(set(patients) - {0})
    table = await adopted.in_force(connection)
    for start in range(0, len(everyone), _BATCH):
        await _recompute(connection, vault, everyone[start : start + _BATCH], table)


async def _recompute(connection: asyncpg.Connection, vault: Vault, patients: list[int], table: Table) -> None:
    keys = await vault.patient_keys(connection, patients)
    facts, resting = await stated(connection, patients)
    every = [fact for of_one in (*facts.values(), *resting.values()) for fact in of_one]
    people = await People.of(connection, every, table)
    watched = await offices.read(connection)
    clients = await _clients(connection)
    persons = await _persons(connection, every)
    ids = Ids(vault.id_key)
    name = cache(lambda whose: f"{whose.type_}/{ids.encode(Key(0, kind_of(whose.type_), whose.res))}")
    kept = await connection.fetch(f"select {COLUMNS} from access_grant where patient = any($1::bigint[])", patients)
    new: set[GrantRow] = set()
    for patient in patients:
        if (key := keys.get(patient)) is not None:
            theirs, rested = facts.get(patient, []), resting.get(patient, [])
            held = people.around([*theirs, *rested])
            world = World(theirs, held, people.wholes, clients, persons, watched, rested)
            new.update(_rows(key, name, decide(world, table)))
    await put(connection, set(map(tuple, kept)), new)


async def put(connection: asyncpg.Connection, old: set[GrantRow], new: set[GrantRow]) -> None:
    """`new` in the place of `old`, which are all the rows of some patients. Those of a principal to whom nothing changes on a
    patient stay as they are."""
    changed = {row[:2] for row in old ^ new}
    if gone := sorted(changed.intersection(row[:2] for row in old)):
        await connection.execute(_DELETE, *map(list, zip(*gone, strict=True)))
    if rows := sorted(row for row in new if row[:2] in changed):
        await connection.copy_records_to_table("access_grant", records=rows, columns=COLUMNS.split(", "))


COLUMNS: Final = (
    "patient, principal, purpose, mask, write_mask, author, service, addressee, rule, relation, valid_from, valid_to"
)
_DELETE: Final = """
    delete from access_grant g using unnest($1::bigint[], $2::bigint[]) as k(patient, principal)
    where g.patient = k.patient and g.principal = k.principal
"""


def _rows(key: PatientKey, name: Callable[[Whose], str], rights: Iterable[Right]) -> Iterator[GrantRow]:
    """Rights are many; the classes that they open, and those whose entries they open alone, nearly always the same few."""
    hide = cache(key.permute)
    token = cache(lambda whose: owner_token(key, name(whose)))
    for right in rights:
        whose = right.whose
        yield (
            key.patient,
            right.principal,
            int(right.purpose),
            hide(int(right.read) | (NAMES_HIDDEN if right.read else 0)),
            hide(int(right.write) | (NAMES_HIDDEN if right.write else 0)),
            token(whose) if whose.column == "author" else 0,
            token(whose) if whose.column == "service" else 0,
            token(whose) if whose.column == "addressee" else 0,
            right.rule,
            int(right.relation),
            right.during.start,
            right.during.end,
        )


# ---- reading the world --------------------------------------------------------------------------------------------


async def stated(
    connection: asyncpg.Connection, patients: Sequence[int]
) -> tuple[dict[int, list[Fact]], dict[int, list[Fact]]]:
    """The facts of these patients that may give rights, and those that rest while the record is archived."""
    rows = await connection.fetch(
        "select r.patient, principal, relation, source_kind, source_res, ordinal, organization, detail, valid_from,"
        " valid_to, a.patient is not null as archived from relation r left join archived_record a on a.patient = r.patient"
        " where r.patient = any($1::bigint[])",
        patients,
    )
    found: dict[int, list[Fact]] = {}
    resting: dict[int, list[Fact]] = {}
    for patient, principal, relation, kind, res, ordinal, organization, detail, start, end, archived in rows:
        fact = Fact(
            principal,
            Relation(relation),
            Interval(start, end),
            organization,
            json.loads(detail) if detail else {},
            Source(kind, res),
            ordinal,
        )
        side = resting if archived and _rests(fact) else found
        side.setdefault(patient, []).append(fact)
    return found, resting


_RESTING: Final = frozenset({Relation.TEAM, Relation.REFERRAL, Relation.AUTHOR, Relation.TOUR, Relation.STRUCTURE})
"""What gives no right on an archived record (retention.archiving)."""


def _rests(fact: Fact) -> bool:
    """A consent to a professional rests too; one to somebody close to the person does not."""
    return fact.relation in _RESTING or (fact.relation is Relation.CONSENT and fact.detail.get("holder") != "related")


async def world_of(connection: asyncpg.Connection, facts: Sequence[Fact], table: Table) -> World:
    """These facts of one patient, with the people whom they concern."""
    people = await People.of(connection, facts, table)
    return World(facts, people.around(facts), people.wholes, persons=await _persons(connection, facts))


async def _persons(connection: asyncpg.Connection, facts: Iterable[Fact]) -> dict[int, int]:
    """Who is, or was, in each role that a denial names."""
    named = sorted({fact.principal for fact in facts if fact.relation in DENIALS and fact.principal})
    if not named:
        return {}
    rows = await connection.fetch(
        "select role, practitioner from held_role where role = any($1::bigint[]) and practitioner <> 0", named
    )
    return dict(rows)


async def _clients(connection: asyncpg.Connection) -> list[SystemClient]:
    rows = await connection.fetch(
        "select client, organization, role_code, purpose from client"
        " where active and kind = 'backend' and organization <> 0 and role_code is not null and purpose is not null"
    )
    return [
        SystemClient(client, organization, role_code, Purpose(purpose))
        for client, organization, role_code, purpose in rows
        if role_code in ROLES
    ]
