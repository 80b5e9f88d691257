"""Changing the classes of stored versions in place, without a new version: what a version says does not change."""

from collections.abc import Sequence

import asyncpg

from liaison.fhir.store.contract import Key
from liaison.fhir.vault import PatientKey


async def relabel(
    connection: asyncpg.Connection, patient_key: PatientKey, resources: Sequence[Key], *, add: int = 0, remove: int = 0
) -> None:
    """Adds and removes plain class bits on every version of these resources of one patient, within the transaction.

    History is relabelled too: a masked item is masked in each of its versions. Never leaves a version without a class:
    such a version keeps what it had.
    """
    if not resources:
        return
    await connection.execute(
        """
        update version v set classes = (v.classes | $4) & ~$5::bigint
        from unnest($2::smallint[], $3::bigint[]) as k(kind, res)
        where v.patient = $1 and v.kind = k.kind and v.res = k.res
          and (v.classes | $4) & ~$5::bigint not in (0, v.classes)
        """,
        patient_key.patient,
        [key.kind for key in resources],
        [key.res for key in resources],
        patient_key.permute(add),
        patient_key.permute(remove),
    )
