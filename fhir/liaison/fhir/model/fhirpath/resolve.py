"""What a Reference says about the type it leads to, without going there. http://hl7.org/fhir/R4/references.html"""

import re
from typing import Any

from liaison.fhir.definitions import RESOURCE_TYPES

# http://hl7.org/fhir/R4/references.html#literal: the pattern of a RESTful reference.
RESTFUL = re.compile(
    r"(?:(?P<base>https?://[^?#\s]+)/)?(?P<type>[A-Za-z]+)/(?P<id>[A-Za-z0-9\-.]{1,64})(?:/_history/(?P<version>[A-Za-z0-9\-.]{1,64}))?"
)


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
        elif (match := RESTFUL.fullmatch(literal)) is not None and match["type"] in RESOURCE_TYPES:
            return match["type"]
        elif (conditional := literal.partition("?")[0]) in RESOURCE_TYPES:
            return conditional
    named = reference.get("type")
    return named if isinstance(named, str) and named in RESOURCE_TYPES else ""


def leads_to(reference: Any, type_: str, root: dict[str, Any]) -> bool:
    """`resolve() is Type` of the search expressions: decided by what the reference itself says."""
    return isinstance(reference, dict) and target_type(reference, root) == type_
