"""read: https://hl7.org/fhir/R4/http.html#read, with conditional read (If-None-Match, If-Modified-Since)."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from liaison.fhir.errors import BadRequest, Gone, Issue, NotFound
from liaison.fhir.interactions import etag, scope
from liaison.fhir.interactions.prefer import preferences
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Caller, Opened

_HONOURED: Final = (("_summary", "false"),)
_OF_THE_EDGE: Final = ("_format", "_pretty")


def require_no_parameters(query: str, headers: Mapping[str, str]) -> None:
    """For read and vread: BadRequest names a parameter that would be ignored (R4 http.html#parameters).

    `Prefer: handling=lenient` lets it be ignored, as in a search.
    """
    if not query or preferences(headers).get("handling", "").lower() == "lenient":
        return
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in _OF_THE_EDGE and (name, value) not in _HONOURED:
            raise BadRequest(issues=[Issue("not-supported", f"A read has no parameter '{_shown(name)}' here.")])


def _shown(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name[:40])


async def read(store: Store, caller: Caller, type_: str, id_: str, headers: Mapping[str, str]) -> Answer:
    """The current version, as stored. NotFound for absent and hidden alike; Gone for one deleted that was visible."""
    key = store.key(type_, id_)
    found = None if key is None else await store.read(caller, key)
    if found is None:
        raise NotFound
    return await shown(store, caller, type_, found, headers)


async def shown(store: Store, caller: Caller, type_: str, found: Opened, headers: Mapping[str, str]) -> Answer:
    """The answer that shows one visible version, or says that the caller's copy of it still stands."""
    row, body = found
    if not await scope.shows_version(store, caller, type_, found):
        raise NotFound
    if row.deleted:
        raise Gone("The resource was deleted.")
    meta = etag.meta(row.version, row.at)
    if headers and etag.not_modified(headers, row.version, row.at):
        return Answer(304, b"", meta, (found.disclosure,))  # no bytes, but the caller learns that theirs are current
    return Answer(200, body, meta, (found.disclosure,))
