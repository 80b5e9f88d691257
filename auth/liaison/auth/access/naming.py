"""What names something that not everyone who sees it may know of is marked (contract.NAMES_HIDDEN): whoever opens it takes out
what this caller does not see. What is not marked names such things nowhere, and is shown as it is.

A version is marked when it refers, by an address (in a reference, or as a text of its own), to another item of its record
that is masked or of a class outside the ordinary ones (classes.HIDING), whoever may see that one: as it is now, not as it
was; or to an item of another record. When an item comes to be more or less closed, what refers to it is marked anew
(access.reclassifying). Another identifier and plain words are not looked at.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Final

import asyncpg

from liaison.auth.access import contents
from liaison.auth.access.classes import HIDING
from liaison.fhir.definitions import DIRECTORY_TYPES, RESOURCE_TYPES, kind_of, type_of
from liaison.fhir.model.references import unversioned
from liaison.fhir.model.withholding import named_in
from liaison.fhir.store.contract import NAMES_HIDDEN, Change, Key, Tree
from liaison.fhir.store.ids import Ids
from liaison.fhir.vault import Vault

_PATIENT: Final = kind_of("Patient")


def named(ids: Ids, own: Key, tree: Tree | None, body: bytes = b"") -> set[Key]:
    """The other items that it refers to, of its record and of others: who sees the one record is not told of the other (design
    §5). `body` is what the tree is written as, if that is at hand: most resources name items in plain references only, and the
    bytes show it."""
    if tree is None:
        return set()
    if (plain := _in_references(body)) is not None and tree.get("resourceType") != "Bundle":
        found = _items(ids, own, plain)
        if not any(type_of(key.kind) in DIRECTORY_TYPES for key in found):  # which no item is, whatever it is called
            return found
    return _items(ids, own, set(named_in(tree)))


def _in_references(body: bytes) -> set[str] | None:
    """'Type/id' in each `reference`, with ids that may be ours. None when such an id stands elsewhere, or may."""
    found = _REFERENCE.findall(body)
    if not body or len(found) != len(_ID.findall(body)) or _COVERED.search(body):
        return None
    return {name.decode() for name in found}


_ID: Final = re.compile(rb"/[0-9a-f]{32}")
_REFERENCE: Final = re.compile(rb'"reference":"([A-Z][A-Za-z]+/[0-9a-f]{32})["/#]')
_COVERED: Final = re.compile(rb'%[0-9A-Fa-f]{2}|"data":[\[{]')
"""What is written in percents, and what is not looked at for addresses (withholding)."""


def _items(ids: Ids, own: Key, names: Iterable[str]) -> set[Key]:
    found = set()
    for name in names:
        type_, _, id_ = name.partition("/")
        key = ids.decode(type_, id_) if type_ in RESOURCE_TYPES else None
        if key is not None and key.patient != 0 and key != own:
            found.add(key)
    return found


async def hold(connection: asyncpg.Connection, changes: Mapping[Key, Change], refers: Mapping[Key, set[Key]]) -> None:
    """Waits for who closes something of these records, and lets nobody else until the transaction ends: what an item is, is
    asked after. Where nothing refers to an item but the Patient, and nothing was there before, nothing is asked."""
    waiting = {
        key.patient
        for key, change in changes.items()
        if not change.new_patient
        and (change.before_row is not None or any(one.kind != _PATIENT for one in refers[key]))
    }
    if waiting:
        await connection.execute(_HOLD, sorted(waiting))


_HOLD: Final = "select from patient where patient = any($1::bigint[]) order by patient for share"


async def mark(
    connection: asyncpg.Connection,
    vault: Vault,
    ids: Ids,
    changes: Mapping[Key, Change],
    refers: Mapping[Key, set[Key]],
    masked: Collection[Key],
) -> None:
    """Completes the labels of what is written together, once their classes are known: a Provenance is as closed as what it is
    about. `masked` are known to be hidden."""
    await _close_what_is_about(connection, vault, ids, changes)
    hiding = {key for key, change in changes.items() if change.labels.classes & HIDING} | set(masked)
    within = {one for key, some in refers.items() for one in some if one.patient == key.patient}
    unknown = within - changes.keys() - hiding
    # The class of a Patient is fixed, and hardly anything refers to none.
    hiding |= await _hiding(connection, vault, [one for one in unknown if one.kind != _PATIENT])
    for key, change in changes.items():
        if not refers[key].isdisjoint(hiding) or any(one.patient != key.patient for one in refers[key]):
            change.labels = replace(change.labels, classes=change.labels.classes | NAMES_HIDDEN)


async def _hiding(connection: asyncpg.Connection, vault: Vault, items: Collection[Key]) -> set[Key]:
    """Those of these items that not everyone may know of who sees what refers to them."""
    if not items:
        return set()
    return {key for key, classes in (await _stored(connection, vault, items)).items() if classes & HIDING}


async def _stored(connection: asyncpg.Connection, vault: Vault, items: Collection[Key]) -> dict[Key, int]:
    """The classes of these items as they are now."""
    rows = await connection.fetch(_CLASSES, *map(list, zip(*items, strict=True)))
    keys = await vault.patient_keys(connection, {row["patient"] for row in rows})
    return {Key(*row[:3]): keys[row["patient"]].unpermute(row["classes"]) for row in rows}


def about(ids: Ids, key: Key, tree: Tree) -> set[Key]:
    """The items of its record that a Provenance is about, or that a Binary says to be as closed as."""
    if tree["resourceType"] == "Provenance":
        names = {unversioned(str(one.get("reference", ""))) for one in tree.get("target") or ()}
    elif tree["resourceType"] == contents.BINARY:
        names = {contents.governed_by(tree)}
    else:
        return set()
    found = set()
    for name in names:
        type_, _, id_ = name.partition("/")
        one = ids.decode(type_, id_) if type_ in RESOURCE_TYPES else None
        if one is not None and one.patient == key.patient and one != key:
            found.add(one)
    return found


async def _close_what_is_about(
    connection: asyncpg.Connection, vault: Vault, ids: Ids, changes: Mapping[Key, Change]
) -> None:
    """By more than the words of its target: who wrote that, and where."""
    targets = {key: about(ids, key, change.tree) for key, change in changes.items() if change.tree is not None}
    elsewhere = {one for some in targets.values() for one in some} - changes.keys()
    known = {key: change.labels.classes for key, change in changes.items()}
    known |= await _stored(connection, vault, elsewhere) if elsewhere else {}
    for key, some in targets.items():
        closing = reduce(or_, (known.get(one, 0) & HIDING for one in some), 0)
        if closing:
            changes[key].labels = replace(changes[key].labels, classes=changes[key].labels.classes | closing)


_CLASSES: Final = """
    select v.patient, v.kind, v.res, v.classes from version v
    join unnest($1::bigint[], $2::smallint[], $3::bigint[]) as k(patient, kind, res) using (patient, kind, res)
    where v.superseded is null
"""
