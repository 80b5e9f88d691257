"""What the elements are at which a parameter looks on one type: their data types, and the systems of bare codes.

A `code` has no system of its own: it belongs to the code system of the value set to which its element is bound (R4
search.html#token). The required bindings of the definitions say which.
"""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from liaison.fhir.definitions import SearchParameter, required_codes
from liaison.fhir.model.fhirpath import compile_expression

_LANGUAGES: Final = "urn:ietf:bcp:47"
MIME_TYPES: Final = "urn:ietf:bcp:13"

# Value sets whose codes R4 does not list.
_OPEN: Final = {"http://hl7.org/fhir/ValueSet/mimetypes": MIME_TYPES}

# Elements bound to languages, but not as required: any code of the system may stand there.
_OF_LANGUAGES: Final = frozenset({("DocumentReference", "language"), ("CodeSystem", "language")})


@cache
def data_types(parameter: SearchParameter, type_: str) -> frozenset[str]:
    """The data types of these elements; none for a parameter that has no expression for the type."""
    if not parameter.expression or parameter.type == "composite":
        return frozenset()
    return frozenset(branch.type for branch in compile_expression(parameter.expression, type_))


@cache
def implied(parameter: SearchParameter, type_: str) -> Mapping[str, frozenset[str] | None]:
    """The systems to which bare codes of the parameter belong, each with its codes; None: any code.

    Empty when its elements are not all of type `code`. No R4 parameter mixes codes with codings.
    """
    if data_types(parameter, type_) != {"code"}:
        return MappingProxyType({})
    found: dict[str, frozenset[str] | None] = {}
    for branch in compile_expression(parameter.expression, type_):
        if branch.binding in _OPEN:
            found[_OPEN[branch.binding]] = None
        else:
            found.update(required_codes(branch.binding) or {})
    if (type_, parameter.code) in _OF_LANGUAGES:
        found[_LANGUAGES] = None
    return MappingProxyType(found)
