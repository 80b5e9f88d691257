"""Masking of an item by the patient (rule 25): the class MASKED on each of its versions, as long as a Consent says so."""

from collections.abc import Sequence

import asyncpg

from liaison.auth.access.classes import Class
from liaison.auth.access.classify import own_classes
from liaison.auth.access.relations import Relation
from liaison.auth.access.standing import Owners, Standing
from liaison.fhir.errors import Forbidden
from liaison.fhir.model import read
from liaison.fhir.store import rows
from liaison.fhir.store.contract import Change, Key, Row
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


async def follow(connection: asyncpg.Connection, vault: Vault, before: set[Key], after: set[Key]) -> None:
    """Masks what has come, unmasks what has gone, unless the item's own label masks it."""
    if before == after:
        return
    keys = await vault.patient_keys(connection, {key.patient for key in before ^ after})
    for patient, key in keys.items():
        added = [item for item in after - before if item.patient == patient]
        removed = [item for item in before - after if item.patient == patient]
        kept = [item for item in removed if await _masked_by_label(connection, key, item)]
        await relabel(connection, key, added, add=int(Class.MASKED))
        await relabel(connection, key, [item for item in removed if item not in kept], remove=int(Class.MASKED))


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
