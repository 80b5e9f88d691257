"""The keys of patients whom requests name, asked of the base alike whether they are hidden or nobody.

Whether a key is at hand says that somebody works on the record, and whether there is one that the patient exists: either would
show in how long a search takes that finds nothing. So those keys are asked for each time, but of whom the session
has a right on, which is asked once. It decides nothing that is shown: each statement asks for itself.
"""

from collections.abc import Sequence
from typing import Final

from liaison.fhir.store.contract import AccessFilter
from liaison.fhir.store.database import Database
from liaison.fhir.vault import PatientKey, Vault

_NAMED: Final = 16
"""More than a request names: they were found by what is seen of them."""
_MOST: Final = 50_000


class Acquainted:
    """By session and patient, the ones met first forgotten first."""

    def __init__(self, filter_: AccessFilter, database: Database, vault: Vault) -> None:
        self._asked = f"select p.patient from {filter_.patients('$1::bigint')} p where p.patient = any($2::bigint[])"
        self._database = database
        self._vault = vault
        self._known: dict[tuple[int, int], None] = {}

    async def keys(self, session: int, named: Sequence[int]) -> dict[int, PatientKey]:
        """Of those who exist."""
        new = [patient for patient in named if (session, patient) not in self._known] if len(named) <= _NAMED else []
        if new:
            found = await self._database.fetch(self._asked, session, new)
            self._known |= {(session, patient): None for (patient,) in found}
        strangers = frozenset(patient for patient in new if (session, patient) not in self._known)
        while len(self._known) > _MOST:
            del self._known[next(iter(self._known))]
        return await self._vault.patient_keys(self._database.reading, named, anew=strangers)
