"""The element paths that a search parameter's expression names on one type, without filters and casts."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from liaison.fhir.definitions import SearchParameter, clinical_paths, elements, official_parameters, ownership

_CAST: Final = re.compile(r"\.(?:as|ofType)\(\w+\)|\s+as\s+\w+|\.where\((?:[^()]|\([^()]*\))*\)")
_OF_TYPE: Final = re.compile(r"(?:\.as\(|\.ofType\(|\sas\s+)(\w+)\)?\s*\)?\s*$")
_CHOICE: Final = re.compile(r"(?:(DateTime|Period|Instant|Timing|Date)(?:\.event|\.repeat\.boundsPeriod)?)?")


@cache
def paths(parameter: SearchParameter, type_: str) -> frozenset[str]:
    """'subject' for clinical-patient on Observation; choice elements without their type ('effective')."""
    return frozenset(path for path, _ in _parts(parameter, type_))


def _parts(parameter: SearchParameter, type_: str) -> Iterator[tuple[str, str]]:
    """Each path, and the type that its last element must have; '' when any will do."""
    for part in parameter.expression.split("|"):
        path = _CAST.sub("", part.strip()).strip("() ")
        if path.startswith(f"{type_}."):
            of = _OF_TYPE.search(part)
            yield path.removeprefix(f"{type_}."), of[1] if of else ""


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
    """Whether the parameter looks at the first clinical path: where it has values, the `clinical` column has the earliest
    of them. Where it has none, the column may have the date of another element."""
    return any(_looks_at(parameter, type_, one) for one in clinical_paths(type_)[:1])


@cache
def is_main_date(parameter: SearchParameter, type_: str) -> bool:
    """Whether the `clinical` column has a date exactly where the parameter has a value: the parameter looks at each
    clinical path, so that no other element can stand in."""
    known = clinical_paths(type_)
    return bool(known) and all(_looks_at(parameter, type_, one) for one in known)


def _looks_at(parameter: SearchParameter, type_: str, clinical: str) -> bool:
    """Whether the parameter has a value of a date at this clinical path."""
    if parameter.type != "date" or parameter.added:
        return False
    for path, of in _parts(parameter, type_):
        found = _CHOICE.fullmatch(clinical.removeprefix(path)) if clinical.startswith(path) else None
        if found is not None and (not found[1] or of.lower() in ("", found[1].lower())):
            return True
    return False
