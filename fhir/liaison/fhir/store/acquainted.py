"""The keys of patients whom a request names: asked for when the caller has some right on them, and else not at all.

Whether a key is at hand says that somebody works on the record, and whether there is one that the patient exists: either
would show in how long a search takes that finds nothing. So who is named is asked for by right first, whoever they are, in one statement
that does as much for somebody hidden as for somebody who never was. Whom a session saw once is not asked for again: that decides no
right, which every statement asks for itself.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from liaison.fhir.store.contract import AccessFilter
from liaison.fhir.store.lanes import Lanes

_MOST: Final = 50_000


class Acquainted:
    """By session and patient, the ones last seen first forgotten."""

    def __init__(self, filter_: AccessFilter, lanes: Lanes) -> None:
        self._asked = f"select p.patient from {filter_.patients('$1::bigint')} p where p.patient = any($2::bigint[])"
        self._lanes = lanes
        self._known: dict[tuple[int, int], None] = {}

    async def of(self, session: int, patients: Sequence[int]) -> Iterable[int]:
        """Those of them on whom the session has, or had, some right."""
        new = [patient for patient in patients if (session, patient) not in self._known]
        if new:
            found = await self._lanes.fetch(self._asked, session, new)
            self._known |= {(session, patient): None for (patient,) in found}
        known = [patient for patient in patients if (session, patient) in self._known]
        while len(self._known) > _MOST:
            del self._known[next(iter(self._known))]
        return known
