"""vread: https://hl7.org/fhir/R4/http.html#vread."""

from collections.abc import Mapping

from liaison.fhir.errors import NotFound
from liaison.fhir.interactions.read import asked_for, shown
from liaison.fhir.interactions.references import number_of
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Caller


async def vread(
    store: Store,
    caller: Caller,
    type_: str,
    id_: str,
    version: str,
    headers: Mapping[str, str],
    query: str = "",
    base_url: str = "",
) -> Answer:
    """One version, decided by the caller's rights now and by that version's own classes. Gone when it is a deletion."""
    wanted = asked_for(query, headers, type_)
    key = store.key(type_, id_)
    number = number_of(version)
    if key is None or not number:
        raise NotFound
    found = await store.version(caller, key, number)
    if found is None:
        raise NotFound
    return await shown(store, caller, type_, found, headers, wanted, f"{base_url}/{type_}/{id_}")
