"""Since when something is new for the person who is signed in."""

from datetime import datetime

import asyncpg

from liaison.auth.caller import Caller
from liaison.auth.journal.last_access import last_access
from liaison.fhir.store.ids import Ids
from liaison.fhir.vault import Vault


async def last_visit(pool: asyncpg.Pool, vault: Vault, caller: Caller, reference: str) -> datetime | None:
    """The end of the caller's visit to this patient before the present one, or None at the first."""
    key = Ids(vault.id_key).decode(*reference.split("/"))
    return None if key is None else await last_access(pool, key.patient, caller.practitioner)
