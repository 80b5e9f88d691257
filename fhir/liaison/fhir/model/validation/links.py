"""References: their form, and the types they may lead to. http://hl7.org/fhir/R4/references.html"""

import re
from collections.abc import Callable
from typing import Any

from liaison.fhir.definitions import RESOURCE_TYPES
from liaison.fhir.model.fhirpath.resolve import RESTFUL, target_type
from liaison.fhir.model.validation.scope import Scope

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")


def link_test(targets: tuple[str, ...]) -> Callable[[dict[str, Any], Scope], str | None]:
    """The test of a Reference that may lead to `targets`, () being any resource."""
    allowed = frozenset(targets)
    said = ", ".join(targets)

    def test(reference: dict[str, Any], scope: Scope) -> str | None:
        literal = reference.get("reference")
        if type(literal) is str:
            if literal.startswith("#"):
                if literal != "#" and literal[1:] not in scope.contained:
                    return "ref-1: no contained resource has the id that this reference names."
            elif not _known(literal):
                return "Not a reference that R4 knows: Type/id, Type?query, an absolute URI or #id."
        type_ = target_type(reference, scope.container)
        if allowed and type_ and type_ not in allowed:
            return f"A reference to {type_} is not allowed here, only to {said}."
        stated = reference.get("type")
        if type_ and type(stated) is str and stated in RESOURCE_TYPES and stated != type_:
            return f"Its type says {stated}, and its reference leads to {type_}: R4 asks that both are consistent."
        return None

    return test


def _known(literal: str) -> bool:
    match = RESTFUL.fullmatch(literal)
    if match is not None and match["base"] is None:
        return match["type"] in RESOURCE_TYPES
    return _ABSOLUTE.fullmatch(literal) is not None or literal.partition("?")[0] in RESOURCE_TYPES
