"""Masking of an item by the patient (rule 25): the class MASKED on each of its versions, and on what tells of it
(access.telling), as long as a Consent says so."""

from collections.abc import Sequence
from typing import Final

import asyncpg

from liaison.auth.access import telling
from liaison.auth.access.classes import Class
from liaison.auth.access.classify import own_classes
from liaison.auth.access.relations import Relation
from liaison.auth.access.standing import Owners, Standing
from liaison.fhir.definitions import type_of
from liaison.fhir.errors import Forbidden
from liaison.fhir.model import read
from liaison.fhir.search import reference
from liaison.fhir.store import rows
from liaison.fhir.store.contract import Change, Key, Row
from liaison.fhir.store.ids import Ids
from liaison.fhir.store.relabel import relabel
from liaison.fhir.vault import PatientKey, Vault


async def masked_by(connection: asyncpg.Connection, changes: Sequence[Change]) -> set[Key]:
    """What any Consent of the patients concerned masks now; nothing when no Consent is among the changes."""
    patients = sorted({change.key.patient for change in changes if change.type_ == "Consent"})
    if not patients:
        return set()
    found = await connection.fetch(
        "select distinct patient, (detail->>'kind')::smallint, principal from relation"
        " where patient = any($1::bigint[]) and relation = $2 and valid_to > now()",
        patients,
        int(Relation.MASK),
    )
    return {Key(*row) for row in found}


async def in_force(connection: asyncpg.Connection, ids: Ids, key: PatientKey) -> set[Key]:
    """Everything of this patient that a Consent masks now, and what tells of it."""
    found = await connection.fetch(
        "select distinct (detail->>'kind')::smallint, principal from relation"
        " where patient = $1 and relation = $2 and valid_to > now()",
        key.patient,
        int(Relation.MASK),
    )
    items = {Key(key.patient, *row) for row in found}
    return items | await _told_of(connection, ids, key, sorted(items))


async def follow(connection: asyncpg.Connection, vault: Vault, before: set[Key], after: set[Key]) -> None:
    """Masks what has come, unmasks what has gone, unless the item's own label masks it."""
    if before == after:
        return
    keys = await vault.patient_keys(connection, {key.patient for key in before ^ after})
    for patient, key in keys.items():
        masked = [item for item in after if item.patient == patient]
        added = [item for item in masked if item not in before]
        removed = [item for item in before - after if item.patient == patient]
        lifted = [item for item in removed if not await _masked_by_label(connection, key, item)]
        ids = Ids(vault.id_key)
        await relabel(connection, key, [*added, *await _told_of(connection, ids, key, added)], add=int(Class.MASKED))
        shown = {*lifted, *await _told_of(connection, ids, key, lifted)}
        shown -= {*masked, *await _told_of(connection, ids, key, masked)}
        await relabel(connection, key, sorted(shown), remove=int(Class.MASKED))


async def _told_of(connection: asyncpg.Connection, ids: Ids, key: PatientKey, items: Sequence[Key]) -> set[Key]:
    """What tells of these items, and of what tells of them: each would say that its item exists, and often what it says."""
    found: set[Key] = set()
    asked: set[Key] = set(items)
    while asked:
        tokens = [
            (kind, number, key.token(number, reference.of(f"{type_of(item.kind)}/{ids.encode(item)}")))
            for item in asked
            for kind, number in telling.PARAMETERS
        ]
        rows_ = await connection.fetch(_TELLING, key.patient, *map(list, zip(*tokens, strict=True)))
        asked = {Key(key.patient, row["kind"], row["res"]) for row in rows_} - found - set(items)
        found |= asked
    return found


_TELLING: Final = """
    select distinct t.kind, t.res from index_token t
    join unnest($2::smallint[], $3::smallint[], $4::bigint[]) as k(kind, param, token) using (kind, param, token)
    where t.patient = $1
"""


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


async def _masked_by_label(connection: asyncpg.Connection, key: PatientKey, item: Key) -> bool:
    version = await connection.fetchrow(
        "select version, at, classes, sealed from version"
        " where patient = $1 and kind = $2 and res = $3 and superseded is null and not deleted",
        *item,
    )
    if version is None:
        return False
    row = Row(item, version["version"], version["at"], False, version["classes"], 0, 0, 0, version["sealed"], ())
    return bool(own_classes(read(rows.open_(key, row))) & Class.MASKED)
