"""Facts in and out of the table `relation`: the rows of a resource follow its current version."""

import json
from collections.abc import Iterable, Sequence
from typing import Final

import asyncpg

from liaison.auth.access.intervals import between
from liaison.auth.access.relations import Relation
from liaison.auth.access.world import Fact, Source
from liaison.fhir.store.contract import Key

_INSERT: Final = """
    insert into relation (patient, principal, relation, source_kind, source_res, ordinal, organization, detail,
                          valid_from, valid_to)
    select * from unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::smallint[], $5::bigint[], $6::smallint[],
                         $7::bigint[], $8::jsonb[], $9::timestamptz[], $10::timestamptz[])
"""


async def replace_facts(
    connection: asyncpg.Connection, sources: Iterable[tuple[int, int, int]], facts: Sequence[tuple[int, Fact]]
) -> None:
    """Puts these (patient, fact) in place of all that the sources (patient, kind, res) stated before.

    Who opened a record (AUTHOR) is stated by no version: it stays.
    """
    stated = sorted(set(sources))
    if stated:
        await connection.execute(
            "delete from relation r using unnest($1::bigint[], $2::smallint[], $3::bigint[]) as k(patient, kind, res)"
            " where r.patient = k.patient and r.source_kind = k.kind and r.source_res = k.res and r.relation <> $4",
            *map(list, zip(*stated, strict=True)),
            int(Relation.AUTHOR),
        )
    if facts:
        await connection.execute(
            _INSERT, *map(list, zip(*(_row(patient, fact) for patient, fact in facts), strict=True))
        )


async def stated_by(connection: asyncpg.Connection, sources: Sequence[Key]) -> dict[Key, list[Fact]]:
    """What the current version of each of these resources states."""
    if not sources:
        return {}
    rows = await connection.fetch(
        "select r.* from relation r join unnest($1::bigint[], $2::smallint[], $3::bigint[]) as k(patient, kind, res)"
        " on r.patient = k.patient and r.source_kind = k.kind and r.source_res = k.res",
        *map(list, zip(*sources, strict=True)),
    )
    found: dict[Key, list[Fact]] = {}
    for row in rows:
        source = Source(row["source_kind"], row["source_res"])
        fact = Fact(
            row["principal"],
            Relation(row["relation"]),
            between(row["valid_from"], row["valid_to"]),
            row["organization"],
            json.loads(row["detail"]) if row["detail"] else {},
            source,
            row["ordinal"],
        )
        found.setdefault(Key(row["patient"], *source), []).append(fact)
    return found


def _row(patient: int, fact: Fact) -> tuple[object, ...]:
    return (
        patient,
        fact.principal,
        int(fact.relation),
        fact.source.kind,
        fact.source.res,
        fact.ordinal,
        fact.organization,
        json.dumps(dict(fact.detail), sort_keys=True) if fact.detail else None,
        fact.during.start,
        fact.during.end,
    )
