"""Instance history: https://hl7.org/fhir/R4/http.html#history. Versions the caller may not see are not there."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

from liaison.fhir.definitions import type_of
from liaison.fhir.errors import BadRequest, NotFound
from liaison.fhir.interactions import outcome, scope, subset
from liaison.fhir.model.subset import Subset
from liaison.fhir.search.subset import PARAMETERS
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Caller, Opened

PAGE = 50
LARGEST_PAGE = 500


def _parameters(query: str) -> tuple[int, int | None, datetime | None, list[tuple[str, str]]]:
    count, before, since = PAGE, None, None
    shaping = []
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in ("_count", "before") and not (value.isascii() and value.isdigit()):
            most = f" from 0 to {LARGEST_PAGE}; a larger one gives pages of {LARGEST_PAGE}" if name == "_count" else ""
            raise BadRequest(f"{name} is a whole number{most}.")
        match name:
            case "_count":
                count = min(int(value[:10]), LARGEST_PAGE)
            case "before":
                before = min(int(value[:10]), 2**31 - 1)
            case "_since":
                since = _instant(value)
            case _ if name in PARAMETERS:
                shaping.append((name, value))
            case _ if name not in ("_format", "_pretty"):
                known = "_count, _since, _summary and _elements are"
                raise BadRequest(f"The parameter {name!r:.60} is not known for history; {known}.")
    return count, before, since, shaping


def _instant(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value.replace(" ", "+"))
    except ValueError:
        raise BadRequest("_since is an instant, such as 2026-01-31T08:00:00Z.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def history(store: Store, caller: Caller, type_: str, id_: str, query: str, base_url: str) -> Answer:
    """A page of visible versions, newest first. The whole history hidden is the same as no resource: NotFound.

    The next page starts below the last version shown, so that versions written meanwhile move nothing.
    """
    count, before, since, shaping = _parameters(query)
    wanted = subset.of(shaping, type_)
    key = store.key(type_, id_)
    # One more than asked says whether there is a next page; without any, whether there is anything at all.
    found = [] if key is None else await store.history(caller, key, count + 1, before)
    kept = [one for one in found if await scope.shows_version(store, caller, type_, one)]
    if since is not None:
        kept = [one for one in kept if one.row.at >= since]
    if not kept and before is None and since is None:
        raise NotFound
    page = kept[:count]
    url = f"{base_url}/{type_}/{id_}/_history"
    asked = {"_count": str(count)} | ({"_since": since.isoformat()} if since else {}) | dict(shaping)
    links = [("self", asked | ({"before": str(before)} if before else {}))]
    if len(found) > count and page and (since is None or len(kept) > count):
        links.append(("next", asked | {"before": str(page[-1].row.version)}))
    body = _bundle(store, page, [(name, f"{url}?{urlencode(query)}") for name, query in links], base_url, wanted)
    shown = tuple(one.disclosure for one in page if not one.row.deleted)
    return Answer(200, body, (), shown, len(page))


def _bundle(
    store: Store, page: list[Opened], links: list[tuple[str, str]], base_url: str, wanted: Subset | None
) -> bytes:
    """A history Bundle, joined from the stored bytes: nothing of a resource is serialised again."""
    entries = [_entry(store, one, base_url, wanted) for one in page]
    parts = [b'{"resourceType":"Bundle","type":"history","link":[']
    parts.append(b",".join(b'{"relation":"%b","url":"%b"}' % (name.encode(), url.encode()) for name, url in links))
    parts.append(b"]")
    if entries:
        parts += [b',"entry":[', b",".join(entries), b"]"]
    parts.append(b"}")
    return b"".join(parts)


def _entry(store: Store, one: Opened, base_url: str, wanted: Subset | None) -> bytes:
    row = one.row
    type_ = type_of(row.key.kind)
    where = f"{type_}/{store.id(row.key)}"
    method, url = ("POST", type_) if row.version == 1 else ("PUT", where)
    status = 201 if row.version == 1 else 200
    if row.deleted:
        method, url, status = "DELETE", where, 204
    body = one.body if wanted is None or row.deleted else wanted.of(one.body, type_)
    resource = b"" if row.deleted else b',"resource":' + body
    at = row.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return (
        b'{"fullUrl":"%b"%b,"request":{"method":"%b","url":"%b"},'
        b'"response":{"status":"%b","etag":"W/\\"%d\\"","lastModified":"%b"}}'
    ) % (
        f"{base_url}/{where}".encode(),
        resource,
        method.encode(),
        url.encode(),
        outcome.status_text(status).encode(),
        row.version,
        at.encode(),
    )
