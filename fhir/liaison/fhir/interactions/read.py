"""read: https://hl7.org/fhir/R4/http.html#read, with conditional read (If-None-Match, If-Modified-Since)."""

from collections.abc import Mapping

from liaison.fhir.errors import Gone, NotFound
from liaison.fhir.interactions import etag, scope, subset
from liaison.fhir.interactions.prefer import preferences
from liaison.fhir.model.subset import Subset
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Caller, Opened, Row


def asked_for(query: str, headers: Mapping[str, str], type_: str) -> Subset | None:
    """What of the resource is wanted (`_summary`, `_elements`), None for all. BadRequest for any other parameter."""
    if not query:
        return None
    return subset.of_read(query, type_, lenient=preferences(headers).get("handling", "").lower() == "lenient")


async def read(
    store: Store,
    caller: Caller,
    type_: str,
    id_: str,
    headers: Mapping[str, str],
    query: str = "",
    base_url: str = "",
) -> Answer:
    """The current version, as stored, or the part of it that `query` asks for. NotFound for absent and hidden alike;
    Gone for one deleted that was visible."""
    wanted = asked_for(query, headers, type_)
    key = store.key(type_, id_)
    found = None if key is None else await store.read(caller, key)
    if found is None:
        raise NotFound
    return await shown(store, caller, type_, found, headers, wanted, f"{base_url}/{type_}/{id_}")


async def shown(
    store: Store,
    caller: Caller,
    type_: str,
    found: Opened,
    headers: Mapping[str, str],
    wanted: Subset | None,
    where: str,
) -> Answer:
    """The answer that shows one visible version, or says that the caller's copy of it still stands. `where` is the URL of
    the resource: the answer names the version that it shows (Content-Location, RFC 9110 §8.7), unless it is a part.

    Whoever is not shown all of it has no validator, and no copy that stands: what is left out goes by rights and maskings, not
    by the version (RFC 9110 §8.8, §13.1.2)."""
    row, body = found.row, found.body
    if not await scope.shows_version(store, caller, type_, found):
        raise NotFound
    if row.deleted:
        raise Gone("The resource was deleted.")
    meta = () if found.is_cut else etag.meta(row.version, row.at)
    if wanted is None:
        meta = (*meta, ("content-location", f"{where}/_history/{row.version}"))
    if (
        headers
        and not found.is_cut
        and etag.not_modified(headers, row.version, row.at)
        and not await _changed_twice(store, caller, headers, row)
    ):
        return Answer(
            304, b"", meta, (found.disclosure,), modified=row.at
        )  # no bytes, but the caller learns that theirs are current
    shown_ = body if wanted is None else wanted.of(body, type_)
    return Answer(200, shown_, meta, (found.disclosure,), modified=row.at)


async def _changed_twice(store: Store, caller: Caller, headers: Mapping[str, str], row: Row) -> bool:
    """Whether the date by which a copy still stands may be that of the version before, which was made in its second."""
    if not etag.hangs_on_a_second(headers, row.version, row.at):
        return False
    before = await store.version(caller, row.key, row.version - 1)
    return before is None or etag.alike(before.row.at, row.at)
