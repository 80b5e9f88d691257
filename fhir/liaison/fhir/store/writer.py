"""Rows in: a few round trips whatever the number of changes, inside the caller's transaction.

The old version is superseded, the new one inserted with its index rows and identity tokens. Index rows of the old
version stay until liaison.fhir.store.sweep finds that no cursor can need them.
"""

import asyncio
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

from liaison.fhir import model
from liaison.fhir.errors import Conflict, NotFound
from liaison.fhir.store import identity, ids, rows
from liaison.fhir.store.contract import FOREIGN, Change, Indexed, Key, Tree
from liaison.fhir.vault import PatientKey, Vault

Index = Callable[[str, Tree], Indexed]
"""What the search keeps of a resource: liaison.fhir.search.index.indexed is it."""

Decode = Callable[[str, str], Key | None]
"""What an id names: (type, id)."""

NO_DATE: Final = datetime.min  # -infinity, for asyncpg
_BREATH: Final = 50  # changes between two turns of the event loop

_PATIENTS = """
    select patient, shelf, wrapped from patient where patient = any($1::bigint[]) and wrapped is not null
    for share  -- an erasure waits for us, or we for it and find nothing
"""

_SUPERSEDE = """
    with keys as (
        select * from unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::integer[]) as k(patient, kind, res, version)
    ), identities as (
        delete from identity_token t using keys k
        where t.patient = k.patient and t.kind = k.kind and t.res = k.res
    )
    update {prefix}version v set superseded = pg_current_xact_id()
    from keys k
    where v.patient = k.patient and v.kind = k.kind and v.res = k.res and v.version = k.version
      and v.superseded is null
"""

# Index rows name their version by its place in the arrays of the versions, so that each carries three values only.
_INSERT = """
    with versions as (
        insert into {prefix}version (patient, kind, res, version, at, clinical, deleted, classes, author, service,
                                     addressee, sealed)
        select patient, kind, res, version, coalesce(at, date_trunc('milliseconds', clock_timestamp())), clinical,
               deleted, classes, author, service, addressee, sealed
        from unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::integer[], $5::timestamptz[], $6::timestamptz[],
                    $7::boolean[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bytea[])
             as k(patient, kind, res, version, at, clinical, deleted, classes, author, service, addressee, sealed)
    ), tokens as (
        insert into {prefix}index_token (patient, kind, param, token, res, version, clinical)
        select ($1::bigint[])[n], ($2::smallint[])[n], param, token, ($3::bigint[])[n], ($4::integer[])[n],
               ($6::timestamptz[])[n]
        from unnest($13::integer[], $14::smallint[], $15::bigint[]) as k(n, param, token)
    ), dates as (
        insert into {prefix}index_date (patient, kind, param, low, high, res, version)
        select ($1::bigint[])[n], ($2::smallint[])[n], param, low, high, ($3::bigint[])[n], ($4::integer[])[n]
        from unnest($16::integer[], $17::smallint[], $18::timestamptz[], $19::timestamptz[]) as k(n, param, low, high)
    )
    insert into identity_token (space, token, patient, kind, res)
    select space, token, ($1::bigint[])[n], ($2::smallint[])[n], ($3::bigint[])[n]
    from unnest($20::integer[], $21::smallint[], $22::bytea[]) as k(n, space, token)
"""
_SUPERSEDES: Final = {prefix: _SUPERSEDE.format(prefix=prefix) for prefix in ("", "directory_")}
_INSERTS: Final = {prefix: _INSERT.format(prefix=prefix) for prefix in ("", "directory_")}


class _Version(NamedTuple):
    """One row of `version`; the order of the insert's first arrays."""

    patient: int
    kind: int
    res: int
    version: int
    at: datetime | None
    clinical: datetime
    deleted: bool
    classes: int
    author: int
    service: int
    addressee: int
    sealed: bytes


@dataclass(slots=True)
class _Rows:
    """What is to be inserted in one family. Index rows start with the place of their version, counted from 1."""

    superseded: list[tuple[int, int, int, int]] = field(default_factory=list)
    versions: list[_Version] = field(default_factory=list)
    tokens: list[tuple[int, int, int]] = field(default_factory=list)
    dates: list[tuple[int, int, datetime, datetime]] = field(default_factory=list)
    identities: list[tuple[int, int, bytes]] = field(default_factory=list)

    def arguments(self) -> list[list[Any]]:
        families: tuple[tuple[Sequence[Sequence[Any]], int], ...] = (
            (self.versions, len(_Version._fields)),
            (self.tokens, 3),
            (self.dates, 4),
            (self.identities, 3),
        )
        return [column for rows_, width in families for column in _columns(rows_, width)]


def _columns(rows_: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows_, strict=True)] if rows_ else [[] for _ in range(width)]


async def apply(
    connection: asyncpg.Connection, vault: Vault, changes: Sequence[Change], index: Index, held: Container[int] = ()
) -> None:
    """Writes the changes within the open transaction. Each has its labels and, unless it deletes, its tree.

    `held` are patients whose rows the transaction has locked already. Raises Conflict when a version to be superseded is not the current one, or a new number is taken; NotFound when the
    patient is erased.
    """
    keys = await _keys(connection, vault, changes, held)
    families = {"": _Rows(), "directory_": _Rows()}
    decode = ids.Ids(vault.id_key).decode
    for count, change in enumerate(changes, 1):
        into = families["" if change.key.patient else "directory_"]
        _add(into, vault, keys[change.key.patient], change, index, decode)
        if count % _BREATH == 0:
            await asyncio.sleep(0)
    for prefix, into in families.items():
        if into.superseded:
            done = await connection.execute(_SUPERSEDES[prefix], *_columns(into.superseded, 4))
            if done != f"UPDATE {len(into.superseded)}":
                raise Conflict("The resource was changed meanwhile.")
        if into.versions:
            try:
                await connection.execute(_INSERTS[prefix], *into.arguments())
            except asyncpg.UniqueViolationError:
                raise Conflict("The resource was changed meanwhile.") from None


async def _keys(
    connection: asyncpg.Connection, vault: Vault, changes: Sequence[Change], held: Container[int]
) -> dict[int, PatientKey]:
    """The data key of every patient concerned; those of new patients are made and stored."""
    keys = {0: vault.territory}
    new = {change.key.patient for change in changes if change.new_patient}
    known = {change.key.patient for change in changes} - new - {0}
    if new:
        made = [vault.new_patient(patient) for patient in sorted(new)]
        try:
            await connection.execute(
                "insert into patient (patient, shelf, wrapped) select * from unnest($1::bigint[], $2::int[], $3::bytea[])",
                *_columns(made, 3),
            )
        except asyncpg.UniqueViolationError:
            for patient in new:
                vault.forget(patient)
            raise Conflict("A new number is taken already.") from None
    if waiting := sorted(patient for patient in known if patient not in held):
        alive = [row[0] for row in await connection.fetch(_PATIENTS, waiting)]
        if len(alive) != len(waiting):
            raise NotFound
    keys |= await vault.patient_keys(connection, new | known)
    return keys


def _add(into: _Rows, vault: Vault, key: PatientKey, change: Change, index: Index, decode: Decode) -> None:
    place = len(into.versions) + 1
    patient, kind, res = change.key
    if change.version > 1:
        into.superseded.append((patient, kind, res, change.version - 1))
    if change.tree is None:
        into.versions.append(_deletion(key, change))
        return
    found = index(change.type_, change.tree)
    labels = change.labels
    before = change.before_row  # A version that names no author or service keeps those of the one before.
    into.versions.append(
        _Version(
            patient,
            kind,
            res,
            change.version,
            datetime.fromisoformat(change.tree["meta"]["lastUpdated"]),
            found.clinical,
            False,
            key.permute(labels.classes),
            rows.owner_token(key, labels.author) or (before.author if before else 0),
            rows.owner_token(key, labels.service) or (before.service if before else 0),
            rows.owner_token(key, labels.addressee),
            rows.seal(key, change.key, change.version, change.body or model.dump(change.tree)),
        )
    )
    into.tokens += _tokens(place, key, found.tokens)
    into.tokens += _tokens(place, key, _foreign(patient, found.links, decode))
    into.dates += [(place, param, low, high) for param, low, high in found.dates]
    into.identities += [(place, space, token) for space, token in identity.tokens(vault, change.tree)]


def _foreign(patient: int, links: Iterable[tuple[int, str, str]], decode: Decode) -> Iterator[tuple[int, bytes]]:
    for param, type_, id_ in links:
        target = decode(type_, id_)
        if patient and target is not None and target.patient not in (0, patient):
            yield param, FOREIGN


def _tokens(place: int, key: PatientKey, values: Iterable[tuple[int, bytes]]) -> list[tuple[int, int, int]]:
    return [(place, param, key.token(param, value)) for param, value in set(values)]


def _deletion(key: PatientKey, change: Change) -> _Version:
    """Keeps the labels of what is deleted: who could see it learns that it is gone, nobody else."""
    before = change.before_row
    assert before is not None, "only what exists can be deleted"
    return _Version(
        *change.key,
        change.version,
        None,
        NO_DATE,
        True,
        before.classes,
        before.author,
        before.service,
        before.addressee,
        rows.seal(key, change.key, change.version, b""),
    )
