"""The searchset Bundle, joined from stored bytes: no resource is serialised again (R4 http.html#search, bundle.html)."""

from collections.abc import Callable, Sequence
from urllib.parse import urlencode

import orjson

from liaison.fhir.definitions import type_of
from liaison.fhir.errors import Issue
from liaison.fhir.interactions import outcome
from liaison.fhir.store.contract import Answer, Key, Opened


def searchset(
    matches: Sequence[Opened],
    included: Sequence[Opened],
    *,
    total: int | None,
    links: Sequence[tuple[str, str]],
    told: Sequence[Issue] = (),
    base_url: str,
    id_of: Callable[[Key], str],
) -> Answer:
    """The answer, with every version it contains disclosed. `total` counts matches only; None leaves it out. `told` is
    what the caller should know of it, in an entry of mode `outcome`."""
    parts = [b'{"resourceType":"Bundle","type":"searchset"']
    if total is not None:
        parts.append(b',"total":%d' % total)
    urls = b",".join(b'{"relation":"%b","url":%b}' % (name.encode(), orjson.dumps(url)) for name, url in links)
    parts.append(b',"link":[%b]' % urls)
    base = base_url.encode()
    entries = [_entry(one, b"match", base, id_of) for one in matches]
    entries += [_entry(one, b"include", base, id_of) for one in included]
    if told:
        entries.append(b'{"resource":%b,"search":{"mode":"outcome"}}' % outcome.render(tuple(told)))
    if entries:
        parts += [b',"entry":[', b",".join(entries), b"]"]
    parts.append(b"}")
    shown = tuple(one.disclosure for one in (*matches, *included))
    return Answer(200, b"".join(parts), (), shown, total)


def _entry(one: Opened, mode: bytes, base: bytes, id_of: Callable[[Key], str]) -> bytes:
    key = one.row.key
    return b'{"fullUrl":"%b/%b/%b","resource":%b,"search":{"mode":"%b"}}' % (
        base,
        type_of(key.kind).encode(),
        id_of(key).encode(),
        one.body,
        mode,
    )


def url(base_url: str, path: str, pairs: Sequence[tuple[str, str]]) -> str:
    """A link to a search, absolute; from our own base URL, never from a header of the request."""
    query = urlencode(pairs)
    where = f"{base_url}/{path}" if path else base_url
    return f"{where}?{query}" if query else where
