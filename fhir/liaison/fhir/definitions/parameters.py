"""Search parameters of R4 as HL7 defines them, none left out. http://hl7.org/fhir/R4/searchparameter-registry.html"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

import orjson

from liaison.fhir.definitions.types import RESOURCE_TYPES

_FILE = Path(__file__).parent / "data" / "parameters.json"
# http://hl7.org/fhir/R4/resource.html: these three derive from Resource directly, without narrative.
_NOT_DOMAIN = frozenset({"Bundle", "Binary", "Parameters"})


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a composite: `parameter` is the id of the parameter that types it, `expression` starts at the
    element that the composite's own expression gives."""

    parameter: str
    expression: str


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """`number` is unique over all parameters and stable: rows of the index carry it.

    One definition may serve many types (`clinical-patient`); it then has one number. `expression` is the whole FHIRPath
    as published, for all its bases; it is empty for _text, _content and _query, which no path can give.
    """

    number: int
    id: str
    code: str
    type: str  # string token date reference uri quantity number composite special
    base: tuple[str, ...]
    expression: str
    target: tuple[str, ...]
    components: tuple[Component, ...]


@cache
def _all() -> tuple[SearchParameter, ...]:
    return tuple(
        SearchParameter(
            number, id_, code, type_, tuple(base), expression, tuple(target), tuple(Component(*part) for part in parts)
        )
        for number, id_, code, type_, base, expression, target, parts in orjson.loads(_FILE.read_bytes())
    )


@cache
def parameter_by_id(id_: str) -> SearchParameter:
    """The parameter whose definition has this id ('clinical-code'). KeyError when there is none."""
    for parameter in _all():
        if parameter.id == id_:
            return parameter
    raise KeyError(id_)


@cache
def parameter_by_number(number: int) -> SearchParameter:
    """The parameter that has this number. KeyError when there is none."""
    for parameter in _all():
        if parameter.number == number:
            return parameter
    raise KeyError(number)


@cache
def search_parameters(type_: str) -> Mapping[str, SearchParameter]:
    """All parameters of one type by code, those of Resource and DomainResource included. KeyError for no R4 type.

    Control parameters that are no SearchParameter (_count, _sort, _include, _has, _list…) are not here.
    """
    if type_ not in RESOURCE_TYPES:
        raise KeyError(type_)
    bases = {type_, "Resource"} if type_ in _NOT_DOMAIN else {type_, "Resource", "DomainResource"}
    return MappingProxyType({p.code: p for p in _all() if not bases.isdisjoint(p.base)})
