"""search-type: https://hl7.org/fhir/R4/http.html#search. The work is liaison.fhir.search's."""

from liaison.fhir import search as engine
from liaison.fhir.store.contract import Answer, Caller, Records


async def search(store: Records, caller: Caller, type_: str, query: str, base_url: str) -> Answer:
    """A searchset Bundle of what matches among what the caller may see, in the order asked for."""
    return await engine.search(store, caller, type_, query, base_url=base_url)
