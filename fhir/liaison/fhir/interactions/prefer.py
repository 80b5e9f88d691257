"""The Prefer header (RFC 7240), as FHIR uses it: https://hl7.org/fhir/R4/http.html#ops."""

from collections.abc import Mapping
from typing import Literal

from liaison.fhir.errors import Issue
from liaison.fhir.interactions import outcome
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


def returns(headers: Mapping[str, str]) -> Return:
    """What a write gives back. An unknown wish is ignored, as RFC 7240 §2 asks; the default is the representation."""
    return _RETURNS.get(preferences(headers).get("return", "").lower(), "representation")


def written(
    headers: Mapping[str, str],
    status: int,
    body: bytes,
    meta: tuple[tuple[str, str], ...],
    disclosed: tuple[Disclosure, ...] = (),
    told: tuple[Issue, ...] = (),
) -> Answer:
    """The answer to a write, in the form the caller asked for; only an OperationOutcome has room for what is `told`.

    `disclosed` is journaled whatever the form: an id and a version say that a resource is there.
    """
    match returns(headers):
        case "minimal":
            return Answer(status, b"", meta, disclosed)
        case "OperationOutcome":
            return Answer(status, outcome.render(told or (outcome.ALL_OK,)), meta, disclosed)
        case _:
            return Answer(status, body, meta, disclosed)
