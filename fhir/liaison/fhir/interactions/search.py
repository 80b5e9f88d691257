"""search: https://hl7.org/fhir/R4/http.html#search. The work is liaison.fhir.search's."""

from collections.abc import Mapping

from liaison.fhir import search as engine
from liaison.fhir.interactions.prefer import preferences
from liaison.fhir.interactions.routing import Route
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Caller


async def search(
    store: Store, caller: Caller, where: Route, query: str, headers: Mapping[str, str], base_url: str
) -> Answer:
    """A searchset Bundle of what matches among what the caller may see, in the order asked for.

    Strict unless the caller prefers otherwise (`Prefer: handling=lenient`, R4 search.html#errors); the preference that
    was followed is told (Preference-Applied, RFC 7240 §3).
    """
    handling = preferences(headers).get("handling", "").lower()
    answer = await engine.search(
        store,
        caller,
        where.type_,
        query,
        base_url=base_url,
        lenient=handling == "lenient",
        compartment=where.compartment,
    )
    if handling not in ("strict", "lenient"):
        return answer
    return answer._replace(headers=(*answer.headers, ("preference-applied", f"handling={handling}")))
