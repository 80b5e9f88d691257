"""Rows in: a few round trips whatever the number of changes, inside the caller's transaction.

The old version is superseded, the new one inserted with its index rows and identity tokens. Index rows of the old
version stay until liaison.fhir.store.sweep finds that no cursor can need them.
"""

import asyncio
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg

from liaison.fhir import model
from liaison.fhir.definitions import Custom
from liaison.fhir.errors import Conflict, NotFound
from liaison.fhir.store import ids, index_rows, referring, rows
from liaison.fhir.store.contract import Change, Indexed, Tree
from liaison.fhir.store.index_rows import Decode, columns
from liaison.fhir.store.parameters import Parameters
from liaison.fhir.vault import PatientKey, Vault

Index = Callable[[str, Tree], Indexed]
"""What the search keeps of a resource: liaison.fhir.search.index.indexed is it."""

NO_DATE: Final = datetime.min  # -infinity, for asyncpg
_BREATH: Final = 50  # changes between two turns of the event loop

_PATIENTS = """
    select patient, shelf, wrapped from patient where patient = any($1::bigint[]) and wrapped is not null
    order by patient for share  -- an erasure waits for us, or we for it and find nothing
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

_INSERT = (
    index_rows.BEGIN
    + """versions as (
        insert into {prefix}version (patient, kind, res, version, clinical, at, deleted, classes, author, service,
                                     addressee, sealed)
        select patient, kind, res, version, clinical, coalesce(at, date_trunc('milliseconds', clock_timestamp())),
               deleted, classes, author, service, addressee, sealed
        from unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::integer[], $5::timestamptz[], $17::timestamptz[],
                    $18::boolean[], $19::bigint[], $20::bigint[], $21::bigint[], $22::bigint[], $23::bytea[])
             as k(patient, kind, res, version, clinical, at, deleted, classes, author, service, addressee, sealed)
             cross join known
    ), """
    + index_rows.INSERTS
)
_SUPERSEDES: Final = {prefix: _SUPERSEDE.format(prefix=prefix) for prefix in ("", "directory_")}
_INSERTS: Final = {prefix: _INSERT.format(prefix=prefix) for prefix in ("", "directory_")}


class _Version(NamedTuple):
    """One row of `version`: the columns of index_rows.PLACE first, then the order of the insert's last arrays."""

    patient: int
    kind: int
    res: int
    version: int
    clinical: datetime
    at: datetime | None
    deleted: bool
    classes: int
    author: int
    service: int
    addressee: int
    sealed: bytes


@dataclass(slots=True)
class _Rows:
    """What is to be inserted in one family."""

    superseded: list[tuple[int, int, int, int]] = field(default_factory=list)
    versions: list[_Version] = field(default_factory=list)
    index: index_rows.IndexRows = field(default_factory=index_rows.IndexRows)

    def arguments(self, revision: int) -> list[Any]:
        versions = columns(self.versions, len(_Version._fields))
        index = index_rows.IndexRows() if self.index.many else self.index
        return [*versions[: index_rows.PLACE], *index.columns(), revision, *versions[index_rows.PLACE :]]


async def apply(
    connection: asyncpg.Connection,
    vault: Vault,
    changes: Sequence[Change],
    index: Index,
    parameters: Parameters,
    held: Container[int] = (),
) -> None:
    """Writes the changes within the open transaction. Each has its labels and, unless it deletes, its tree.

    `held` are patients whose rows the transaction has locked already. Raises Conflict when a version to be superseded
    is not the current one, or a new number is taken; NotFound when the patient is erased.
    """
    keys = await _keys(connection, vault, changes, held)
    custom = parameters.known
    for prefix in ("", "directory_"):
        some = [change for change in changes if bool(change.key.patient) is not bool(prefix)]
        if not some:
            continue
        into = await _rows(vault, keys, some, index, custom)
        if into.superseded:
            done = await connection.execute(_SUPERSEDES[prefix], *columns(sorted(into.superseded), 4))
            if done != f"UPDATE {len(into.superseded)}":
                raise Conflict("The resource was changed meanwhile.")
        try:
            while not await connection.fetchval(_INSERTS[prefix], *into.arguments(custom.revision)):
                # A search parameter came or went since this process last looked: the rows are made again.
                custom = await parameters.refreshed_within(connection)
                into = await _rows(vault, keys, some, index, custom)
            if into.index.many:
                await into.index.copy(connection, prefix, into.versions)
            await referring.add(connection, vault, into.index.references, into.versions)
        except asyncpg.UniqueViolationError:
            raise Conflict("The resource was changed meanwhile.") from None


async def _rows(
    vault: Vault, keys: Mapping[int, PatientKey], changes: Sequence[Change], index: Index, custom: Custom
) -> _Rows:
    """The rows of changes of one family, as the parameters of `custom` index them."""
    into = _Rows()
    decode = ids.Ids(vault.id_key).decode
    for start in range(0, len(changes), _BREATH):
        with custom.in_force():
            for change in changes[start : start + _BREATH]:
                _add(into, vault, keys[change.key.patient], change, index, decode)
        await asyncio.sleep(0)
    return into


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
                *columns(made, 3),
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
            found.clinical,
            datetime.fromisoformat(change.tree["meta"]["lastUpdated"]),
            False,
            key.permute(labels.classes),
            rows.owner_token(key, labels.author) or (before.author if before else 0),
            rows.owner_token(key, labels.service) or (before.service if before else 0),
            rows.owner_token(key, labels.addressee),
            rows.seal(key, change.key, change.version, change.body or model.dump(change.tree)),
        )
    )
    into.index.add(len(into.versions), vault, key, change.tree, found, decode)


def _deletion(key: PatientKey, change: Change) -> _Version:
    """Keeps the labels of what is deleted: who could see it learns that it is gone, nobody else."""
    before = change.before_row
    assert before is not None, "only what exists can be deleted"
    return _Version(
        *change.key,
        change.version,
        NO_DATE,
        change.at if change.at.tzinfo is not None else None,
        True,
        before.classes,
        before.author,
        before.service,
        before.addressee,
        rows.seal(key, change.key, change.version, b""),
    )
