"""A restore drill: a backup restored into a base of its own, checked, and thrown away. Nothing of it is served."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from liaison.auth.journal.verify import Verdict
from liaison.fhir.store.database import connection
from liaison.fhir.store.rows import COLUMNS, open_, row_of
from liaison.fhir.vault import KeyProvider, NotAuthentic, Vault
from liaison.services.custody.archive import BadBackup, Progress
from liaison.services.custody.restore import restore
from liaison.services.installation import Kind

SAMPLE: Final = 1_000
"""Bodies opened, chosen at random. Every patient's key is opened."""


@dataclass(frozen=True, slots=True)
class Drilled:
    made_at: str
    patients: int
    bodies: int
    opened: int
    verdict: Verdict
    kind: Kind | None


async def drill(folder: Path, provider: KeyProvider, url: str, progress: Progress = lambda _: None) -> Drilled:
    """Restores into the empty base `url` and checks that keys and bodies open. Raises BadBackup when one does not."""
    restored = await restore(url, provider, folder, None, progress)
    one = await connection(url)
    try:
        progress("keys and bodies")
        vault = await Vault.open(one, provider)
        patients = await one.fetch("select patient from patient where state = 0")
        keys = await vault.patient_keys(one, [row["patient"] for row in patients])
        if len(keys) != len(patients):
            raise BadBackup("Some patients' keys do not open.")
        bodies = sum(
            [await one.fetchval(f"select count(*) from {table}") for table in ("version", "directory_version")]
        )
        opened = await _open_some(one, vault)
        return Drilled(restored.manifest.made_at, len(patients), bodies, opened, restored.verdict, restored.kind)
    finally:
        await one.close()


async def _open_some(one: asyncpg.Connection, vault: Vault) -> int:
    count = 0
    for table in ("version", "directory_version"):
        rows = await one.fetch(
            f"select {COLUMNS}, null::bigint[] from {table} v where not deleted order by random() limit {SAMPLE}"
        )
        keys = await vault.patient_keys(one, [row["patient"] for row in rows])
        for row in map(row_of, rows):
            try:
                open_(keys[row.key.patient], row)
            except (NotAuthentic, KeyError):
                raise BadBackup("A body of the backup does not open under its patient's key.") from None
            count += 1
    return count
