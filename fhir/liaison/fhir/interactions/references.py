"""What a Reference names: FHIR R4 references.html#literal, bundle.html#references. Nothing is ever fetched."""

import re
from typing import Final, Literal, NamedTuple

from liaison.fhir.definitions import RESOURCE_TYPES

Kind = Literal["contained", "local", "conditional", "urn", "elsewhere"]

_LOCAL: Final = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/([A-Za-z0-9\-.]{1,64}))?(?:#.*)?")
_CONDITIONAL: Final = re.compile(r"([A-Z][A-Za-z]+)\?(.+)", re.DOTALL)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_RESTFUL: Final = re.compile(r"(https?://\S+/)([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}")


class Target(NamedTuple):
    """`name` is the id of a local one, the query of a conditional one, the text itself otherwise. `tail` is kept."""

    kind: Kind
    type_: str
    name: str
    tail: str = ""


def target(text: str, base_url: str) -> Target | None:
    """What the text names; None when it is no reference at all. An absolute URL below our own base is local."""
    if text.startswith("#"):
        return Target("contained", "", text)
    own = text.removeprefix(f"{base_url}/")
    local = _LOCAL.fullmatch(own)
    if local is not None and local[1] in RESOURCE_TYPES:
        return Target("local", local[1], local[2], own[len(local[1]) + 1 + len(local[2]) :])
    conditional = _CONDITIONAL.fullmatch(own)
    if conditional is not None and conditional[1] in RESOURCE_TYPES:
        return Target("conditional", conditional[1], conditional[2])
    if text.startswith(("urn:uuid:", "urn:oid:")):
        return Target("urn", "", text)
    if _SCHEME.match(text) and own is text:
        return Target("elsewhere", "", text)
    return None


def root_of(full_url: str) -> str:
    """The base of a RESTful fullUrl, with its slash: 'https://x/fhir/' of 'https://x/fhir/Patient/1'. '' of any other.

    What an entry says relatively is meant below it: https://hl7.org/fhir/R4/bundle.html#references.
    """
    found = _RESTFUL.fullmatch(full_url)
    return found[1] if found is not None and found[2] in RESOURCE_TYPES else ""


def unversioned(text: str) -> tuple[str, bool]:
    """A reference without its version, and whether it had one."""
    plain, mark, _ = text.partition("/_history/")
    return plain, bool(mark)


def number_of(version: str) -> int:
    """The number of a version by its id, as it was given: 0 for one that was given to none, such as 01."""
    return int(version) if version.isascii() and version.isdigit() and version[0] != "0" and len(version) < 10 else 0
