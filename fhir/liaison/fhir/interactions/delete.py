"""delete: https://hl7.org/fhir/R4/http.html#delete, and conditional delete. A deleted version is added; the history stays."""

from collections.abc import Mapping

from liaison.fhir.interactions import etag, outcome, prefer
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.create import criteria_of
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


async def conditional(
    store: Store, caller: Caller, type_: str, query: str, headers: Mapping[str, str], base_url: str, most: int = 1
) -> Answer:
    """Deletes what matches among what the caller may see: all of it or, when more than `most` match, nothing (412)."""
    write = Write(
        "delete", type_, None, matching=criteria_of(query, "A conditional delete"), most=most, headers=headers
    )
    await commit(store, caller, [write], base_url)
    return deleted(write)


def deleted(write: Write) -> Answer:
    """204, or 200 with an OperationOutcome when the caller prefers one. Nothing left to delete is no error (R4)."""
    if write.void:
        meta: tuple[tuple[str, str], ...] = ()
    else:
        assert write.change is not None
        meta = () if write.most > 1 else etag.meta(write.change.version, write.change.at)[:1]
    wish = prefer.wished(write.headers)
    if wish == "OperationOutcome":
        status, body = 200, outcome.render()
    else:
        status, body = 204, b""
    if wish in ("OperationOutcome", "minimal"):
        meta += prefer.applied(write.headers)
    at = None if write.change is None or write.most > 1 else write.change.at
    total = 0 if write.void else None
    return Answer(status, body, meta, total=total, consulted=write.consulted, singled=write.singled, modified=at)
