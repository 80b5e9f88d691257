"""Masking of an item by the patient (rule 25), as long as a Consent or a label of the item itself says so: the class MASKED on
each of its versions and on what tells of it (access.telling). All else that refers to one of these is marked (access.naming).

That an item is masked is a fact of the record (Relation.MASK), of the Consent or of the item. `in_force` is read where
classes are given: to what is written (access.labels), and to the whole record when a masking comes or goes
(access.reclassifying).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import asyncpg

from liaison.auth.access import telling
from liaison.auth.access.classes import Class
from liaison.auth.access.classify import own_classes
from liaison.auth.access.intervals import ALWAYS
from liaison.auth.access.relations import Relation
from liaison.auth.access.standing import Owners, Standing
from liaison.auth.access.world import Fact, Source
from liaison.fhir.definitions import type_of
from liaison.fhir.errors import Forbidden
from liaison.fhir.search import reference
from liaison.fhir.store.contract import Change, Key
from liaison.fhir.store.ids import Ids
from liaison.fhir.vault import PatientKey, Vault


def of_its_own(key: Key, tree: Mapping[str, Any] | None) -> list[Fact]:
    """That an item is masked by its own label. A Consent that masks others is MASKED without being one."""
    if tree is None or not by_label(tree):
        return []
    return [Fact(key.res, Relation.MASK, ALWAYS, detail={"kind": key.kind}, source=Source(key.kind, key.res))]


def by_label(tree: Mapping[str, Any]) -> bool:
    # Asked of every write: hardly anything is labelled.
    labelled = (tree.get("meta") or {}).get("security") or tree.get("securityLabel")
    return bool(labelled) and tree["resourceType"] != "Consent" and bool(own_classes(tree) & Class.MASKED)


def touches(change: Change) -> bool:
    """Whether an item begins or ends to be masked by its own label."""
    return any(tree is not None and by_label(tree) for tree in (change.tree, change.before))


async def stated(connection: asyncpg.Connection, patients: Iterable[int]) -> set[Key]:
    """Every item of these patients that is masked now."""
    found = await connection.fetch(
        "select distinct patient, (detail->>'kind')::smallint, principal from relation"
        " where patient = any($1::bigint[]) and relation = $2 and valid_to > now()",
        sorted(patients),
        int(Relation.MASK),
    )
    return {Key(*row) for row in found}


async def in_force(connection: asyncpg.Connection, vault: Vault, patients: Collection[int]) -> dict[str, Key]:
    """By 'Type/id', everything of these patients that is masked, and what tells of it."""
    items = await stated(connection, patients) if patients else set()
    if not items:
        return {}
    ids, keys = Ids(vault.id_key), await vault.patient_keys(connection, {one.patient for one in items})
    for patient, key in keys.items():
        items |= await _told_of(connection, ids, key, [one for one in items if one.patient == patient])
    return {_name(ids, one): one for one in items}


def tells(tree: Mapping[str, Any], masked: Mapping[str, Key]) -> bool:
    """Whether a resource says of something masked what is to stay hidden."""
    return any(name in masked for name in telling.told(tree))


async def check_lifted(connection: asyncpg.Connection, vault: Vault, who: Standing, lifted: set[Key]) -> None:
    """Raises Forbidden unless the caller is the author or the attending doctor of each of these items."""
    if not lifted:
        return
    keys = await vault.patient_keys(connection, {item.patient for item in lifted})
    for item in lifted:
        row = await connection.fetchrow(
            "select author, service, addressee from version"
            " where patient = $1 and kind = $2 and res = $3 and superseded is null",
            *item,
        )
        key = keys.get(item.patient)
        if row is not None and (key is None or not who.may_unmask(key, Owners(*row))):
            raise Forbidden("The author of an item or the attending doctor lifts its masking.")


async def _told_of(connection: asyncpg.Connection, ids: Ids, key: PatientKey, items: Sequence[Key]) -> set[Key]:
    """What tells of these items, and of what tells of them."""
    found: set[Key] = set()
    asked: set[Key] = set(items)
    while asked:
        tokens = [
            (kind, number, key.token(number, reference.of(_name(ids, item))))
            for item in asked
            for kind, number in telling.PARAMETERS
        ]
        rows = await connection.fetch(_TELLING, key.patient, *map(list, zip(*tokens, strict=True)))
        asked = {Key(key.patient, row["kind"], row["res"]) for row in rows} - found - set(items)
        found |= asked
    return found


_TELLING: Final = """
    select distinct t.kind, t.res from index_token t
    join unnest($2::smallint[], $3::smallint[], $4::bigint[]) as k(kind, param, token) using (kind, param, token)
    where t.patient = $1
"""


def _name(ids: Ids, key: Key) -> str:
    return f"{type_of(key.kind)}/{ids.encode(key)}"
