"""Which others of the caller's records refer into given ones: so that a question about a few looks into no more of them.

What these records hold, and whether it may be seen, is asked of `visible` like anything else: here nothing is decided but
where to look. What is answered holds for every snapshot taken before (liaison.fhir.store.referring).
"""

from collections.abc import Collection

from liaison.fhir.search.plan import NOBODY
from liaison.fhir.store.contract import Caller
from liaison.fhir.store.referring import Source
from liaison.fhir.store.store import Store


async def sources(store: Store, caller: Caller, patients: Collection[int]) -> dict[int, list[Source]] | None:
    """The ways in which the caller's records refer into each of these. None when that is not known: any may then."""
    if not await store.referring.complete():
        return None
    found = await store.referring.to(patients)
    named = {one.patient for some in found.values() for one in some}
    # Asked when there is none too: that takes as long as when there is one that the caller knows nothing of.
    own = await store.lanes.fetch(
        f"select p.patient from {store.filter.patients('$1::bigint')} p where p.patient = any($2::bigint[])",
        caller.session,
        sorted(named) or [NOBODY],
    )
    known = {patient for (patient,) in own}
    return {patient: [one for one in some if one.patient in known] for patient, some in found.items()}


async def records(store: Store, caller: Caller, patients: Collection[int]) -> frozenset[int] | None:
    """The caller's records that refer into one of these. None when that is not known."""
    found = await sources(store, caller, patients)
    return None if found is None else frozenset(one.patient for some in found.values() for one in some)
