"""The searchset Bundle, joined from stored bytes: no resource is serialised again (R4 http.html#search, bundle.html)."""

from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import quote_plus

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
    ids_of: Callable[[Sequence[Key]], Sequence[str]],
) -> Answer:
    """The answer, with every version it contains disclosed. `total` counts matches only; None leaves it out. `told` is
    what the caller should know of it, in an entry of mode `outcome`."""
    parts = [b'{"resourceType":"Bundle","type":"searchset"']
    if total is not None:
        parts.append(b',"total":%d' % total)
    urls = b",".join(b'{"relation":"%b","url":%b}' % (name.encode(), orjson.dumps(url)) for name, url in links)
    parts.append(b',"link":[%b]' % urls)
    base = base_url.encode()
    entries = [*_entries(matches, b"match", base, ids_of), *_entries(included, b"include", base, ids_of)]
    if told:
        entries.append(b',{"resource":%b,"search":{"mode":"outcome"}}' % outcome.render(tuple(told)))
    if entries:
        entries[0] = entries[0].removeprefix(b",")
        parts += [b',"entry":[', *entries, b"]"]
    parts.append(b"}")
    shown = tuple([one.disclosure for one in (*matches, *included)])
    return Answer(200, b"".join(parts), (), shown, total)


def _entries(
    shown: Sequence[Opened], mode: bytes, base: bytes, ids_of: Callable[[Sequence[Key]], Sequence[str]]
) -> list[bytes]:
    """The pieces of the entries, to be joined with nothing between them; each entry begins with a comma."""
    keys = [one.row.key for one in shown]
    begin = {kind: b',{"fullUrl":"%b/%b/' % (base, type_of(kind).encode()) for kind in {key.kind for key in keys}}
    end = b',"search":{"mode":"%b"}}' % mode
    found: list[bytes] = []
    for key, id_, one in zip(keys, ids_of(keys), shown, strict=True):
        found += (begin[key.kind], id_.encode(), b'","resource":', one.body, end)
    return found


def url(base_url: str, path: str, pairs: Sequence[tuple[str, str]]) -> str:
    """A link to a search, absolute; from our own base URL, never from a header of the request."""
    query = "&".join([f"{_quoted(name)}={_quoted(value)}" for name, value in pairs])
    where = f"{base_url}/{path}" if path else base_url
    return f"{where}?{query}" if query else where


# What urllib.parse.urlencode does, without a cache and a function call for each character.
_QUOTED: Final = {code: quote_plus(chr(code)) for code in range(128)}


def _quoted(text: str) -> str:
    return text.translate(_QUOTED) if text.isascii() else quote_plus(text)
