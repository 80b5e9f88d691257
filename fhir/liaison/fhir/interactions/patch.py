"""patch: https://hl7.org/fhir/R4/http.html#patch, and conditional patch. JSON Patch and FHIRPath Patch.

A patch is an update whose content is made here, from what is there at that moment: rights, validation, If-Match and
Prefer are those of an update. Its answer shows what the caller did not send, so it needs the scope `r` too.
"""

from collections.abc import Mapping

from liaison.fhir.interactions import patch_body, scope
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.create import criteria_of, written
from liaison.fhir.interactions.writes import Write
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Caller


async def patch(
    store: Store, caller: Caller, type_: str, id_: str, body: bytes, headers: Mapping[str, str], base_url: str
) -> Answer:
    """200 with the new version. NotFound for an unknown id and a hidden one alike; 412 when If-Match does not hold."""
    return await _patched(store, caller, Write("update", type_, None, id_=id_, headers=headers), body, base_url)


async def conditional(
    store: Store, caller: Caller, type_: str, query: str, body: bytes, headers: Mapping[str, str], base_url: str
) -> Answer:
    """Patches the one visible match of the criteria; NotFound when there is none, 412 when there are several."""
    matching = criteria_of(query, "A conditional patch")
    return await _patched(
        store, caller, Write("update", type_, None, matching=matching, headers=headers), body, base_url
    )


async def _patched(store: Store, caller: Caller, write: Write, body: bytes, base_url: str) -> Answer:
    scope.permit_letter(caller, "r", write.type_)
    write.patch = patch_body.read_patch(write.headers.get("content-type", ""), body)
    await commit(store, caller, [write], base_url)
    return await written(store, caller, write, base_url)
