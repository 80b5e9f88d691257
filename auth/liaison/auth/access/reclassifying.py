"""The classes of every version of a record, by the classification of this version: what it says now of a code that it did not
know holds for what was written before.

The same facts count as when something is written (access.classify, access.labels): its own codes and labels, what it refers
to, the service and the author, what the person masks. So when a masking comes or goes the record is read by this too. What it refers to counts as it is now. No version is added, and what
a version says does not change.

Also when a medicine or an encounter is labelled otherwise than it was: what refers to it follows. A service that becomes a
psychiatric one, or a doctor a psychiatrist, counts for what is written from then on, and at the next classification.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import asyncpg

from liaison.auth.access import masking
from liaison.auth.access.classes import Class, union
from liaison.auth.access.classify import classify, own_classes, rules
from liaison.fhir.definitions import DIRECTORY_TYPES, kind_of, type_of
from liaison.fhir.model import read
from liaison.fhir.model.references import referring, unversioned
from liaison.fhir.store import rows
from liaison.fhir.store.contract import NAMES_HIDDEN, Change, Key, Row, Tree
from liaison.fhir.store.ids import Ids
from liaison.fhir.vault import PatientKey, Vault

_CLINICAL: Final = union(("CLIN", "VITAL"))
_DIRECTORY: Final = frozenset(DIRECTORY_TYPES)


def is_followed(change: Change) -> bool:
    """Whether what refers to this resource may have other classes by this change of it."""
    if change.type_ not in ("Medication", "Encounter") or change.tree is None or change.before is None:
        return False
    return own_classes(change.before) != own_classes(change.tree)


async def reclassify(connection: asyncpg.Connection, vault: Vault, patient: int) -> int:
    """How many versions have other classes now. In the caller's transaction, which nobody else writes to the record in."""
    key = (await vault.patient_keys(connection, [patient])).get(patient)
    if key is None:  # erased
        return 0
    ids = Ids(vault.id_key)
    versions = [rows.row_of(record) for record in await connection.fetch(_VERSIONS, patient)]
    trees = {(row.key, row.version): read(rows.open_(key, row)) for row in versions if not row.deleted}
    related = await _directory(connection, vault, ids, trees.values())
    # The current ones stand last: what is referred to is taken as it is now.
    related |= {f"{type_of(one.kind)}/{ids.encode(one)}": tree for (one, _version), tree in trees.items()}
    masked = await masking.in_force(connection, vault, [patient])
    hidden = set(masked.values())
    psychiatric = await _psychiatric(connection, ids, key)
    found: list[tuple[Row, int]] = []
    classes = 0
    for row in versions:
        if not row.deleted:  # a deletion keeps the classes of what it deletes
            tree = trees[row.key, row.version]
            classes = int(_of(tree, related, psychiatric=row.service in psychiatric))
            classes |= Class.MASKED if row.key in hidden or masking.tells(tree, masked) else 0
            classes |= NAMES_HIDDEN if masking.names(tree, masked) else 0
        if key.unpermute(row.classes) != classes:
            found.append((row, classes))
    await _write(connection, key, found)
    return len(found)


def _of(tree: Tree, related: Mapping[str, Tree], *, psychiatric: bool) -> Class:
    classes = Class(classify(tree, related).classes)
    if psychiatric and classes & _CLINICAL and tree["resourceType"] not in rules().fixed:
        classes |= Class.PSY
    return classes


_VERSIONS: Final = f"select {rows.COLUMNS}, null from version v where v.patient = $1 order by v.kind, v.res, v.version"


async def _directory(connection: asyncpg.Connection, vault: Vault, ids: Ids, trees: Iterable[Tree]) -> dict[str, Tree]:
    """Who and what of the directory these refer to, by relative reference."""
    named = {unversioned(str(one["reference"])) for tree in trees for one in referring(tree)}
    keys = {}
    for reference in named:
        type_, _, id_ = reference.partition("/")
        if type_ in _DIRECTORY and (key := ids.decode(type_, id_)) is not None:
            keys[key] = reference
    found = await connection.fetch(
        f"select {rows.COLUMNS}, null from directory_version v"
        " join unnest($1::smallint[], $2::bigint[]) as k(kind, res) using (kind, res)"
        " where v.superseded is null and not v.deleted",
        [key.kind for key in keys],
        [key.res for key in keys],
    )
    opened = [rows.row_of(record) for record in found]
    return {keys[row.key]: read(rows.open_(vault.territory, row)) for row in opened}


async def _psychiatric(connection: asyncpg.Connection, ids: Ids, key: PatientKey) -> set[int]:
    """Psychiatric services, as the rows of this patient name them."""
    found = await connection.fetch("select organization from organization_part where psychiatric")
    kind = kind_of("Organization")
    return {rows.owner_token(key, f"Organization/{ids.encode(Key(0, kind, row[0]))}") for row in found}


async def _write(connection: asyncpg.Connection, key: PatientKey, found: list[tuple[Row, int]]) -> None:
    await connection.execute(
        "update version v set classes = k.classes"
        " from unnest($2::smallint[], $3::bigint[], $4::integer[], $5::bigint[]) as k(kind, res, version, classes)"
        " where v.patient = $1 and v.kind = k.kind and v.res = k.res and v.version = k.version",
        key.patient,
        [row.key.kind for row, _ in found],
        [row.key.res for row, _ in found],
        [row.version for row, _ in found],
        [key.permute(classes) for _, classes in found],
    )
