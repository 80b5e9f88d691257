"""The history Bundle, joined from stored bytes: nothing of a resource is serialised again (R4 bundle.html#history)."""

from collections.abc import Sequence
from datetime import UTC

import orjson

from liaison.fhir.definitions import type_of
from liaison.fhir.interactions import outcome
from liaison.fhir.model.subset import Subset
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Opened


def bundle(
    store: Store,
    page: Sequence[Opened],
    links: Sequence[tuple[str, str]],
    base_url: str,
    total: int | None,
    wanted: Subset | None,
) -> Answer:
    """Every version of the page, deletions too, which have no resource; each is disclosed. No total when it is unknown."""
    parts = [b'{"resourceType":"Bundle","type":"history"']
    if total is not None:
        parts.append(b',"total":%d' % total)
    urls = b",".join(b'{"relation":"%b","url":%b}' % (name.encode(), orjson.dumps(url)) for name, url in links)
    parts.append(b',"link":[%b]' % urls)
    if page:
        parts += [b',"entry":[', b",".join([_entry(store, one, base_url, wanted) for one in page]), b"]"]
    parts.append(b"}")
    shown = tuple(one.disclosure for one in page)
    return Answer(200, b"".join(parts), (), shown, len(page) if total is None else total)


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
