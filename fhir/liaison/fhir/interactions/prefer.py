"""The Prefer header (RFC 7240), as FHIR uses it: https://hl7.org/fhir/R4/http.html#ops."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from liaison.fhir.errors import Issue
from liaison.fhir.interactions import etag, outcome
from liaison.fhir.store.contract import Answer, Disclosure

Return = Literal["minimal", "representation", "OperationOutcome"]

_RETURNS: dict[str, Return] = {
    "minimal": "minimal",
    "representation": "representation",
    "operationoutcome": "OperationOutcome",
}


def preferences(headers: Mapping[str, str]) -> dict[str, str]:
    """Each preference of the header, names in lower case; the first of two equal names holds (RFC 7240 §2)."""
    found: dict[str, str] = {}
    for part in headers.get("prefer", "").split(","):
        name, _, value = part.partition(";")[0].partition("=")
        if name.strip():
            found.setdefault(name.strip().lower(), value.strip().strip('"'))
    return found


def wished(headers: Mapping[str, str]) -> Return | None:
    """What a write is asked to give back. An unknown wish is none, as RFC 7240 §2 asks."""
    return _RETURNS.get(preferences(headers).get("return", "").lower()) if "prefer" in headers else None


def returns(headers: Mapping[str, str]) -> Return:
    """What a write gives back: the representation unless something else is wished."""
    return wished(headers) or "representation"


def applied(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Preference-Applied (RFC 7240 §3) of an answer that followed the wish."""
    found = wished(headers)
    return () if found is None else (("preference-applied", f"return={found}"),)


def written(
    headers: Mapping[str, str],
    status: int,
    body: bytes,
    version: int,
    at: datetime,
    where: str,
    disclosed: tuple[Disclosure, ...] = (),
    told: tuple[Issue, ...] = (),
) -> Answer:
    """The answer to a write, in the form the caller asked for; only an OperationOutcome has room for what is `told`.

    `where` is the URL of the version that was written; the representation says that it is that one's (RFC 9110 §8.7).
    `disclosed` is journaled whatever the form: an id and a version say that a resource is there.
    """
    meta = (*etag.meta(version, at), ("location", where), *applied(headers))
    match returns(headers):
        case "minimal":
            body = b""
        case "OperationOutcome":
            body = outcome.render(told or (outcome.ALL_OK,))
        case _:
            meta += (("content-location", where),)
    return Answer(status, body, meta, disclosed, modified=at)
