"""The element paths that a search parameter's expression names on one type, without filters and casts."""

import re
from functools import cache
from typing import Final

from liaison.fhir.definitions import SearchParameter, clinical_paths, elements, official_parameters, ownership

_CAST: Final = re.compile(r"\.(?:as|ofType)\(\w+\)|\s+as\s+\w+|\.where\((?:[^()]|\([^()]*\))*\)")
_CHOICE: Final = re.compile(r"(?:DateTime|Period|Instant|Timing|Date)?")


@cache
def paths(parameter: SearchParameter, type_: str) -> frozenset[str]:
    """'subject' for clinical-patient on Observation; choice elements without their type ('effective')."""
    found = set()
    for part in parameter.expression.split("|"):
        path = _CAST.sub("", part.strip()).strip("() ")
        if path.startswith(f"{type_}."):
            found.add(path.removeprefix(f"{type_}."))
    return frozenset(found)


@cache
def names_owner(parameter: SearchParameter, type_: str) -> bool:
    """Whether the parameter looks at the element that says to which patient a resource of this type belongs.

    Of those that were added none does: what else their expression asks is not known here, so that each is indexed by
    itself.
    """
    rule = ownership(type_)
    return (
        not parameter.added
        and rule.rule == "patient"
        and parameter.type == "reference"
        and rule.path in paths(parameter, type_)
    )


@cache
def is_owner_alone(parameter: SearchParameter, type_: str) -> bool:
    """Whether nothing but a Patient ever stands at the element that the parameter looks at: the one whose record it is."""
    rule = ownership(type_)
    return (
        names_owner(parameter, type_)
        and paths(parameter, type_) == {rule.path}
        and not rule.through
        and rule.otherwise == "refuse"
        and "." not in rule.path
        and elements(type_)[rule.path].maximum == 1
    )


@cache
def owner_parameter(type_: str) -> SearchParameter | None:
    """The one parameter under which the owner is indexed; others that look at the same element are answered by it."""
    rule = ownership(type_)
    known = official_parameters(type_)
    if rule.parameter in known and names_owner(known[rule.parameter], type_):
        return known[rule.parameter]
    return next((p for _, p in sorted(known.items()) if names_owner(p, type_)), None)


@cache
def is_clinical(parameter: SearchParameter, type_: str) -> bool:
    """Whether the order by this parameter is the order of the `clinical` column: it looks at the first clinical path."""
    first = clinical_paths(type_)[:1]
    return (
        parameter.type == "date"
        and not parameter.added
        and any(
            one.startswith(path) and _CHOICE.fullmatch(one[len(path) :]) is not None
            for one in first
            for path in paths(parameter, type_)
        )
    )
