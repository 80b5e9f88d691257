"""What the server puts into a resource it stores: its id, its meta, a cleaned narrative. Nothing else changes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from liaison.fhir.errors import BadRequest, FhirError, Issue
from liaison.fhir.interactions.entries import named
from liaison.fhir.interactions.subset import require_whole
from liaison.fhir.model import clean_narrative, read, referring, validate
from liaison.fhir.search.added import require_usable
from liaison.fhir.store.contract import Tree

_NOTHING: Final[Mapping[str, str]] = {}


class Received(NamedTuple):
    """A resource as it will be stored, but for the server's own parts, and what was changed on the way."""

    tree: Tree
    told: tuple[Issue, ...] = ()


CLEANED: Final = (
    "This narrative is not stored as it was sent: what is not within the XHTML subset of FHIR (txt-1), says nothing (txt-2)"
    " or would be fetched from elsewhere is left out."
)


def received(body: bytes, type_: str) -> Received:
    """The resource in a request body, valid and of the type its URL says."""
    if not body:
        raise BadRequest("The body is empty: send a resource.")
    tree = read(body)
    if tree.get("resourceType") != type_:
        raise BadRequest(f"The body is not the {type_} of its URL.", "resourceType")
    return checked_and_told(tree, type_)


def checked(tree: Tree, type_: str, at: str = "", types: Mapping[str, str] = _NOTHING) -> Tree:
    """The same tree, valid and with its narrative cleaned; or an error with every problem, naming the entry `at`."""
    return checked_and_told(tree, type_, at, types).tree


def checked_and_told(
    tree: Tree,
    type_: str,
    at: str = "",
    types: Mapping[str, str] = _NOTHING,
    found: Sequence[Tree] | None = None,
) -> Received:
    """As `checked`, with what its sender should know.

    `types` gives the type of what each fullUrl of the Bundle names, so that references to it are held to their targets.
    `found` are its references (model.referring), when these are known already.
    """
    known = (referring(tree) if found is None else found) if types else ()
    typed = [reference for reference in known if reference["reference"] in types]
    sent = [reference["reference"] for reference in typed]
    for reference, text in zip(typed, sent, strict=True):
        reference["reference"] = f"{types[text]}/x"
    try:
        validate(tree, type_)
        require_whole(tree)
        if type_ == "SearchParameter":
            require_usable(tree)
    except FhirError as error:
        if at:
            raise named(at, error, resource=True) from None
        raise
    finally:
        for reference, text in zip(typed, sent, strict=True):
            reference["reference"] = text
    return Received(tree, cleaned(tree))


def cleaned(tree: Tree) -> tuple[Issue, ...]:
    """Cleans the narratives of a valid resource in their place; a warning for each that was changed."""
    return tuple(Issue("business-rule", CLEANED, path, "warning") for path in clean_narrative(tree))


@lru_cache(16)  # what is written together is of one moment
def instant(at: datetime) -> str:
    """A moment in UTC of whole milliseconds, as a FHIR instant."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stamped(tree: Tree, id_: str, version: int, at: datetime) -> Tree:
    """A copy with the server's id, versionId and lastUpdated; what else the sender put into meta is kept.

    `at` is in UTC, of whole milliseconds. https://hl7.org/fhir/R4/resource.html#Meta
    """
    given = tree.get("meta")
    meta = {"versionId": str(version), "lastUpdated": instant(at)}
    if isinstance(given, dict):
        meta |= {name: value for name, value in given.items() if name not in ("versionId", "lastUpdated")}
    rest = tree.copy()
    for name in ("resourceType", "id", "_id", "meta"):
        rest.pop(name, None)
    return {"resourceType": tree["resourceType"], "id": id_, "meta": meta, **rest}
