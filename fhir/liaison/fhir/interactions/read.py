"""read: https://hl7.org/fhir/R4/http.html#read, with conditional read (If-None-Match, If-Modified-Since)."""

from collections.abc import Mapping

from liaison.fhir import model
from liaison.fhir.errors import Gone, NotFound
from liaison.fhir.interactions import etag, scope
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Caller, Opened


async def read(store: Store, caller: Caller, type_: str, id_: str, headers: Mapping[str, str]) -> Answer:
    """The current version, as stored. NotFound for absent and hidden alike; Gone for one deleted that was visible."""
    key = store.key(type_, id_)
    found = None if key is None else await store.read(caller, key)
    if found is None:
        raise NotFound
    return shown(caller, type_, found, headers)


def shown(caller: Caller, type_: str, found: Opened, headers: Mapping[str, str]) -> Answer:
    """The answer that shows one visible version, or says that the caller's copy of it still stands."""
    row, body = found
    if row.deleted:
        if caller.bound.criteria("r", type_):
            raise NotFound  # Whether what was deleted matched the scope can no longer be said.
        raise Gone("The resource was deleted.")
    if caller.bound.criteria("r", type_):
        scope.require_visible(caller, "r", type_, model.read(body))
    meta = etag.meta(row.version, row.at)
    if headers and etag.not_modified(headers, row.version, row.at):
        return Answer(304, b"", meta)
    return Answer(200, body, meta, (found.disclosure,))
