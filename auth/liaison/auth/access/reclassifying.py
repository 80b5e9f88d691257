"""The classes of every version of a record, by the classification of this version: what it says now of a code that it did not
know holds for what was written before.

The same facts count as when something is written (access.classify, access.labels): its own codes and labels, what it refers
to, the service and the author, what the person masks. What it refers to counts as it is now. No version is added, and what a
version says does not change.

Also when a masking comes or goes, a medicine or an encounter is labelled otherwise than it was, or something is more or less
closed than it was: what refers to it, its content (access.contents), its former versions and the marks of what names it
(access.naming) follow. A service that becomes a
psychiatric one, or a doctor a psychiatrist, counts for what is written from then on, and at the next classification.
"""

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Final

import asyncpg

from liaison.auth.access import contents, masking, naming
from liaison.auth.access.classes import CLOSING, HIDING, Class, union
from liaison.auth.access.classify import classify, own_classes, rules, said_besides
from liaison.fhir.definitions import DIRECTORY_TYPES, kind_of, type_of
from liaison.fhir.model import read
from liaison.fhir.model.references import referring, unversioned
from liaison.fhir.store import rows
from liaison.fhir.store.contract import NAMES_HIDDEN, Change, Key, Row, Tree
from liaison.fhir.store.ids import Ids
from liaison.fhir.vault import PatientKey, Vault

_CLINICAL: Final = union(("CLIN", "VITAL"))
_Version = tuple[Key, int]
_NAMED: Final = f"{contents.BINARY}/".encode()
_DIRECTORY: Final = frozenset(DIRECTORY_TYPES)


def is_followed(change: Change, among: Collection[Change], keys: Mapping[int, PatientKey]) -> bool:
    """Whether others, or its own former versions, may have other classes or another mark by this change. `among`: the unit;
    `keys`: of the patients of what was there before."""
    if change.tree is None:
        return False
    held = contents.held_by(change.tree) if _NAMED in change.body else set()  # asked of every write
    if change.before is None or change.before_row is None:
        return bool(held and held - {f"{one.type_}/{one.tree['id']}" for one in among if one.tree is not None})
    if held or contents.held_by(change.before):
        return True
    differ = own_classes(change.before) ^ own_classes(change.tree)
    if change.type_ in ("Medication", "Encounter") and differ:
        return True
    was = keys[change.key.patient].unpermute(change.before_row.classes) if change.key.patient else 0
    return bool((differ | (was ^ change.labels.classes)) & CLOSING)


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
    related |= {_name(ids, one): tree for (one, _version), tree in trees.items()}
    masked = await masking.in_force(connection, vault, [patient])
    given = _classes(versions, trees, related, await _psychiatric(connection, ids, key))
    _hide(given, trees, masked)
    _hand_on(given, trees, ids)
    _tell_of(given, trees, ids)
    _mark(given, trees, ids)
    found: list[tuple[Row, int]] = []
    classes = 0
    for row in versions:
        classes = given.get((row.key, row.version), classes)  # a deletion keeps the classes of what it deletes
        if key.unpermute(row.classes) != classes:
            found.append((row, classes))
    await _write(connection, key, found)
    return len(found)


def _classes(
    versions: Sequence[Row], trees: Mapping[_Version, Tree], related: Mapping[str, Tree], psychiatric: Container[int]
) -> dict[_Version, int]:
    """Of each version; a former one is as closed as the last, which may say of the same words that they are sensitive."""
    given: dict[_Version, Class] = {}
    last: dict[Key, Class] = {}
    for row in versions:
        if not row.deleted:
            classes = _of(trees[row.key, row.version], related, psychiatric=row.service in psychiatric)
            given[row.key, row.version] = last[row.key] = classes
    return {version: int(classes | (last[version[0]] & CLOSING)) for version, classes in given.items()}


def _hide(given: dict[_Version, int], trees: Mapping[_Version, Tree], masked: Mapping[str, Key]) -> None:
    """What is masked, and what tells of it."""
    if masked:
        hidden = set(masked.values())
        for version, tree in trees.items():
            given[version] |= Class.MASKED if version[0] in hidden or masking.tells(tree, masked) else 0


def _hand_on(given: dict[_Version, int], trees: Mapping[_Version, Tree], ids: Ids) -> None:
    """A Binary has the classes of what holds it, by the last version of each that does, as maskings have left them; of what it says
    to be as closed as; and its own labels."""
    held: dict[str, dict[Key, int]] = {}
    for version, tree in trees.items():  # in their order
        for name in contents.held_by(tree):
            held.setdefault(name, {})[version[0]] = given[version]
    last = {_name(ids, key): classes for (key, _), classes in given.items()}  # in their order
    for version, tree in trees.items():
        if tree["resourceType"] == contents.BINARY and (holders := held.get(_name(ids, version[0]))):
            said = last.get(contents.governed_by(tree), 0) | int(said_besides(tree))
            given[version] = reduce(or_, holders.values(), said)


def _tell_of(given: dict[_Version, int], trees: Mapping[_Version, Tree], ids: Ids) -> None:
    """A Provenance is as closed as what it is about, as that is now; so is a Binary."""
    last = {key: classes for (key, _), classes in given.items()}  # in their order
    for version, tree in trees.items():
        for one in naming.about(ids, version[0], tree):
            given[version] |= last.get(one, 0) & HIDING


def _mark(given: dict[_Version, int], trees: Mapping[_Version, Tree], ids: Ids) -> None:
    """What names something that not everyone may know of, as its last version is, or another record."""
    last = {key: classes for (key, _), classes in given.items()}  # in their order
    hiding = {key for key, classes in last.items() if classes & HIDING}
    for version, tree in trees.items():
        key = version[0]
        if any(one in hiding or one.patient != key.patient for one in naming.named(ids, key, tree)):
            given[version] |= NAMES_HIDDEN


def _name(ids: Ids, key: Key) -> str:
    return f"{type_of(key.kind)}/{ids.encode(key)}"


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
