"""What a Reference says about the type it leads to, without going there. http://hl7.org/fhir/R4/references.html"""

import re
from functools import lru_cache
from typing import Any, NamedTuple

from liaison.fhir.definitions import RESOURCE_TYPES

# http://hl7.org/fhir/R4/references.html#literal: the pattern of a RESTful reference.
RESTFUL = re.compile(
    r"(?:(?P<base>https?://[^?#\s]+)/)?(?P<type>[A-Za-z]+)/(?P<id>[A-Za-z0-9\-.]{1,64})(?:/_history/(?P<version>[A-Za-z0-9\-.]{1,64}))?"
)


class Named(NamedTuple):
    """The parts of a RESTful reference; '' for what it does not have."""

    base: str
    type: str
    id: str
    version: str


@lru_cache(maxsize=16_384)
def restful(literal: str) -> Named | None:
    """What a RESTful reference to a type of R4 names; None for any other text. The same few stand all over a record."""
    match = RESTFUL.fullmatch(literal)
    if match is None or match["type"] not in RESOURCE_TYPES:
        return None
    return Named(match["base"] or "", match["type"], match["id"], match["version"] or "")


def target_type(reference: dict[str, Any], root: dict[str, Any]) -> str:
    """The type of the target: from the literal, the contained resource, or Reference.type. '' when nothing says it."""
    literal = reference.get("reference")
    if isinstance(literal, str):
        if literal.startswith("#"):
            if literal == "#":
                return str(root.get("resourceType", ""))
            for inner in root.get("contained") or ():
                if isinstance(inner, dict) and inner.get("id") == literal[1:]:
                    return str(inner.get("resourceType", ""))
        elif (named := restful(literal)) is not None:
            return named.type
        elif (conditional := literal.partition("?")[0]) in RESOURCE_TYPES:
            return conditional
    stated = reference.get("type")
    return stated if isinstance(stated, str) and stated in RESOURCE_TYPES else ""


def leads_to(reference: Any, type_: str, root: dict[str, Any]) -> bool:
    """`resolve() is Type` of the search expressions: decided by what the reference itself says."""
    return isinstance(reference, dict) and target_type(reference, root) == type_
