"""delete: https://hl7.org/fhir/R4/http.html#delete. A deleted version is added; the history stays."""

from collections.abc import Mapping

from liaison.fhir.interactions import etag
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.writes import Write
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Caller


async def delete(
    store: Store, caller: Caller, type_: str, id_: str, headers: Mapping[str, str], base_url: str
) -> Answer:
    """204. NotFound for absent and hidden alike. Who may, and until when, is for the hooks to say (design §8)."""
    write = Write("delete", type_, None, id_=id_, headers=headers)
    await commit(store, caller, [write], base_url)
    return deleted(write)


def deleted(write: Write) -> Answer:
    assert write.change is not None
    return Answer(204, b"", etag.meta(write.change.version, write.change.at)[:1])
