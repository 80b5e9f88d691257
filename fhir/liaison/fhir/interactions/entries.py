"""The entries of a batch or transaction Bundle, as requests: FHIR R4 http.html#transaction, bundle.html#bdl-3."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final, NamedTuple

from liaison.fhir.errors import BadRequest, FhirError, Issue, TooLarge
from liaison.fhir.interactions import patch_body
from liaison.fhir.interactions.routing import Route, route
from liaison.fhir.interactions.writes import place
from liaison.fhir.model import dump, problems
from liaison.fhir.store.contract import Request, Tree

MOST_ENTRIES: Final = 5000

_HEADERS: Final = {
    "ifMatch": "if-match",
    "ifNoneMatch": "if-none-match",
    "ifNoneExist": "if-none-exist",
}
_ENTRY: Final = re.compile(r"Bundle\.entry\[\d+\]")
_HELD: Final = {"resourceType": "Basic", "code": {"text": "-"}}
"""Stands for a resource of an entry, which is looked at by itself."""
_ORDER: Final = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2, "GET": 3, "HEAD": 3}


class Entry(NamedTuple):
    """One entry, read but not yet done. `problem` says why it cannot be; a transaction then fails, a batch goes on."""

    at: str
    full_url: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    resource: Tree | None
    route: Route | None
    problem: FhirError | None

    def request(self, outer: Request) -> Request:
        """The entry as a request of its own, under the same request id."""
        headers, body = self.headers, b""
        if self.resource is not None and self.method == "PATCH":
            kind, body = patch_body.of_entry(self.resource)
            headers = {**headers, "content-type": kind}
        elif self.resource is not None:
            body = dump(self.resource)
        return Request(self.method, self.path, self.query, body, headers, outer.request_id, outer.address)

    @property
    def order(self) -> int:
        """Place of its method in a transaction: DELETE, POST, PUT, GET (http.html#trules)."""
        return _ORDER.get(self.method, 4)


def _text(tree: Mapping[str, Any], name: str, below: str = "request.") -> str:
    value = tree.get(name, "")
    if not isinstance(value, str):
        raise BadRequest(f"'{name}' is not text.", f"{below}{name}")
    return value


def _headers(request: Mapping[str, Any], outer: Mapping[str, str]) -> dict[str, str]:
    headers = {header: _text(request, name) for name, header in _HEADERS.items() if name in request}
    if "ifModifiedSince" in request:
        headers["if-modified-since"] = _http_date(_text(request, "ifModifiedSince"))
    if "prefer" in outer:
        headers["prefer"] = outer["prefer"]
    return headers


def _http_date(instant: str) -> str:
    """An entry says it as a FHIR instant, a header as an HTTP date (RFC 9110 §5.6.7), which knows whole seconds."""
    refusal = BadRequest("It is not an instant, as in 2026-03-02T09:30:00Z.", "request.ifModifiedSince")
    try:
        moment = datetime.fromisoformat(instant)
        if moment.tzinfo is None:
            raise refusal
        return format_datetime(moment.astimezone(UTC).replace(microsecond=0), usegmt=True)
    except (ValueError, OverflowError):
        raise refusal from None


def _parse(at: str, entry: Any, outer: Request, base_url: str) -> Entry:
    if not isinstance(entry, dict):
        raise BadRequest("The entry is not an object.")
    if "request" not in entry:
        raise BadRequest("The entry has no request.", "request")
    request, resource = entry["request"], entry.get("resource")
    if not isinstance(request, dict):
        raise BadRequest("The request is not an object.", "request")
    if "url" not in request:
        raise BadRequest("The request has no url.", "request.url")
    method, url = _text(request, "method"), _text(request, "url")
    if method not in _ORDER:
        raise BadRequest("The method is not one of GET, HEAD, POST, PUT, DELETE, PATCH.", "request.method")
    path, _, query = url.removeprefix(f"{base_url}/").removeprefix("/").partition("?")
    found = route(method, path)
    if found.name == "bundle":
        raise BadRequest("A Bundle cannot be sent inside a batch or transaction to be processed.", "request.url")
    if resource is not None and (method in ("GET", "HEAD") or found.name == "search"):
        raise BadRequest("An entry that reads takes no resource; its parameters stand in the url.", "resource")
    if method in ("POST", "PUT") and found.name not in ("operation", "search"):
        if not isinstance(resource, dict):
            raise BadRequest(f"A {method} entry needs a resource.", "resource")
        if resource.get("resourceType") != found.type_:
            raise BadRequest(f"The resource is not the {found.type_} of its url.", "resource.resourceType")
    if method == "PATCH" and not isinstance(resource, dict):
        raise BadRequest("A PATCH entry needs a Binary with a JSON Patch, or Parameters.", "resource")
    kept = resource if isinstance(resource, dict) and method in ("POST", "PUT", "PATCH") else None
    return Entry(
        at, _text(entry, "fullUrl", ""), method, path, query, _headers(request, outer.headers), kept, found, None
    )


def named(at: str, error: FhirError, *, resource: bool = False) -> FhirError:
    """The error, its issues naming the entry. With `resource` their expressions start at the entry's resource."""
    error.issues = tuple(
        Issue(
            issue.code,
            issue.diagnostics if issue.diagnostics.startswith(at) else f"{at}: {issue.diagnostics}",
            issue.expression if issue.expression.startswith(at) else place(at, issue.expression, resource=resource),
            issue.severity,
        )
        for issue in error.issues
    )
    return error


def read_entries(bundle: Tree, outer: Request, base_url: str) -> list[Entry]:
    """All entries, in order. One that cannot be understood carries its problem, which names it."""
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise BadRequest("Bundle.entry is not a list.", "Bundle.entry")
    if len(entries) > MOST_ENTRIES:
        raise TooLarge(f"A Bundle holds at most {MOST_ENTRIES} entries; this one has {len(entries)}.", "Bundle.entry")
    wrong = _wrapping(bundle, entries)
    if "" in wrong:
        raise BadRequest(issues=wrong[""])
    found = []
    for index, entry in enumerate(entries):
        at = f"Bundle.entry[{index}]"
        try:
            one = _parse(at, entry, outer, base_url)
            if at in wrong:
                raise BadRequest(issues=wrong[at])
            found.append(one)
        except FhirError as error:
            found.append(Entry(at, "", "", "", "", {}, None, None, named(at, error)))
    return found


def _wrapping(bundle: Tree, entries: Sequence[Any]) -> dict[str, list[Issue]]:
    """What R4 finds wrong with the Bundle beside the resources in it, by entry; '' holds what is of none.

    An element that is not R4's is refused as in any resource: a misspelt `ifNoneExist` would create what is there already.
    Not its invariants: what is to be done without is told of each entry, and a `search` or `response` left over asks nothing.
    """
    wrapping = {name: value for name, value in bundle.items() if name != "entry"}
    if entries:  # a Bundle without any is answered by one without any
        wrapping["entry"] = [
            {**entry, "resource": _HELD} if isinstance(entry, dict) and "resource" in entry else entry
            for entry in entries
        ]
    found: dict[str, list[Issue]] = {}
    for issue in problems(wrapping, ruled=False):
        entry = _ENTRY.match(issue.expression)
        found.setdefault(entry[0] if entry is not None else "", []).append(issue)
    return found


def full_urls(entries: Sequence[Entry]) -> dict[str, int]:
    """Which entry each fullUrl names. Two entries with one fullUrl are refused (bdl-7)."""
    found: dict[str, int] = {}
    for index, entry in enumerate(entries):
        if entry.full_url and entry.resource is not None:
            if entry.full_url in found:
                raise named(entry.at, BadRequest("Its fullUrl is that of an entry before it.", "fullUrl"))
            found[entry.full_url] = index
    return found
