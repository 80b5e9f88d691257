"""What was asked: the forms of each request, by the words of R4, so that a run can say that none was left out."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from ..reference.meanings import COMPOSITES
from ..reference.tables import PARAMETERS

FORMS = frozenset([
    "read", "vread", "history of one", "history of a type", "history of all", "next page", "_sort", "_sort by a chain",
    "_total", "_summary=count", "_elements", "_filter", "_text", "_content", "_type", "_include", "_include:iterate", "_revinclude", "_revinclude:iterate", "_has",
    "chain", "compartment", "compartment of others", "$everything", "$everything of a stay", "_since", "$lastn", "batch", "batch that writes", "transaction",
    "transaction that is done", "transaction about one resource twice", "create", "update",
    "patch", "delete", "conditional create", "conditional update", "conditional patch", "conditional delete", "If-Match",
    "If-None-Match", "string", "string:exact", "string:contains", "string:missing", "token", "token:not", "token:text",
    "token:missing", "token:in", "token:not-in", "token:above", "token:below", "token:of-type", "date", "date:missing", "reference", "reference:[type]", "reference:missing",
    "reference:identifier", "reference:above", "reference:below", "quantity", "quantity:missing", "number", "number:missing",
    "uri", "uri:above", "uri:below", "uri:missing", "composite", "special", "_list", "_id", "_lastUpdated", "emergency access", "call", "in an emergency", "during calls",
    *(
        f"{kind} {prefix}"
        for kind in ("date", "number", "quantity")
        for prefix in ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap", "without a prefix")
    ),
]) | frozenset(
    f"{form} in a {bundle}"
    for bundle in ("batch", "transaction")
    for form in (
        "read", "create", "update", "patch", "delete", "conditional create", "conditional update", "conditional patch",
        "conditional delete", "If-Match", *(["If-None-Match"] if bundle == "batch" else []),
    )
)  # fmt: skip
"""Each is asked in a long run."""
_ID = "[0-9a-f]{32}"
_PATHS = {
    f"[A-Z][A-Za-z]+/{_ID}": "read", f"[A-Z][A-Za-z]+/{_ID}/_history/\\d+": "vread",
    f"[A-Z][A-Za-z]+/{_ID}/_history": "history of one", "[A-Z][A-Za-z]+/_history": "history of a type",
    "_history": "history of all", f"Patient/{_ID}/[A-Z][A-Za-z]+": "compartment",
    f"(Practitioner|Encounter)/{_ID}/[A-Z][A-Za-z]+": "compartment of others",
    f"Patient/{_ID}/[$]everything": "$everything", f"Encounter/{_ID}/[$]everything": "$everything of a stay",
    "Observation/[$]lastn": "$lastn",
    "Patient/[$]emergency-access": "emergency access", "Patient/[$]open-call": "call",
}  # fmt: skip
_HEADERS = {"ifNoneExist": "if-none-exist", "ifMatch": "if-match", "ifNoneMatch": "if-none-match"}
_WRITES = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def forms(method: str, path: str, body: Any, headers: Mapping[str, str]) -> Iterator[str]:
    """Those of one request."""
    where, _, query = path.partition("?")
    named = parse_qsl(query)
    yield from (name for name in ("If-Match", "If-None-Match") if name.lower() in headers)
    if not where and method == "POST":
        requests = [one["request"] for one in body["entry"]]
        writes = any(one["method"] != "GET" for one in requests)
        yield f"{body['type']}{' that writes' if writes and body['type'] == 'batch' else ''}"
        for one in requests:
            given = {header: one[name] for name, header in _HEADERS.items() if name in one}
            for form in forms(one["method"], one["url"], None, given):
                yield f"{form} in a {body['type']}"
        return
    found = next((name for form, name in _PATHS.items() if re.fullmatch(form, where)), "")
    if method != "GET" and found in ("", "read"):
        yield f"{'conditional ' if query or 'if-none-exist' in headers else ''}{_WRITES[method]}"
        return
    if found:
        yield found
    for name, value in named:
        yield from _of_parameter(where.rpartition("/")[2], name, value)


def _of_parameter(type_: str, name: str, value: str) -> Iterator[str]:
    code, _, modifier = name.partition(":")
    if name == "_cursor":
        yield "next page"
    elif name == "_summary":
        yield f"_summary={value}"
    elif name == "_sort":
        yield "_sort"
        if "." in value:
            yield "_sort by a chain"
    elif name.startswith("_has:"):
        yield "_has"
    elif "." in name:
        yield "chain"
    elif name.startswith("_"):
        yield name
    elif code in COMPOSITES:
        yield "composite"
    elif code == "near":
        yield "special"
    elif code in PARAMETERS.get(type_, {}):
        kind = PARAMETERS[type_][code].type
        if kind in ("date", "number", "quantity") and not modifier:
            yield f"{kind} {value[:2]}" if value[:1].isalpha() else f"{kind} without a prefix"
        yield f"{kind}:{'[type]' if modifier[:1].isupper() else modifier}" if modifier else kind
