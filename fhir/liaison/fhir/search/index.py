"""What the store's writer puts into the index tables with each version: tokens and date ranges, by parameter.

Only what SQL can use is written: numbers, quantities, composites, the dates of Patient, RelatedPerson and Person, and
those of parameters that a territory has added have no rows: these may be about anything, and a date stands in clear. A parameter with values but without any token of its own (a CodeableConcept of text only) gets one mark,
so that `:missing` can be answered.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final

from liaison.fhir import model
from liaison.fhir.definitions import (
    FIRST_ADDED,
    RESOURCE_TYPES,
    SearchParameter,
    kept_parameters,
    official_parameters,
    parameter_by_number,
)
from liaison.fhir.model.values import Reference
from liaison.fhir.search import contained
from liaison.fhir.search.conditions import BEGINNING, END
from liaison.fhir.search.kinds import TYPES
from liaison.fhir.search.paths import names_owner, owner_parameter
from liaison.fhir.search.plan import hides_dates
from liaison.fhir.store.contract import Indexed, Tree

GENERATION: Final = 8
"""Raised with every change of what `indexed` gives for one and the same resource, or of what the store makes of it:
`liaison reindex` then brings the rows of older versions up to it, and `liaison doctor` says that it has to be run. With 2
came the rows of `liaison.fhir.store.referring`, with 3 the main date of what has only a Timing, with 4 contained
resources, versions of references, and canonicals without a version, with 5 canonicals without their fragment, with 6 no main date of an
Observation that was only issued, with 7 that a Task is of the day by which it is due, with 8 what the areas above keep beside the index (liaison.services.planned)."""

MARK: Final = b"!"
_NEVER: Final = frozenset({"_id", "_lastUpdated"})


def indexed(type_: str, tree: Tree, only: frozenset[int] | None = None) -> Indexed:
    """The rows of one version, no two equal, and the moment that orders it among its type; with `only`, the rows of
    these parameters."""
    tokens: list[tuple[int, bytes]] = []
    ranges: list[tuple[int, datetime, datetime]] = []
    links: list[tuple[int, str, str]] = []
    extracted: Mapping[int, Sequence[Any]] = model.extract(type_, tree, only or _wanted(type_))
    for number, found in extracted.items():
        kind, owner = _use(number, type_)
        if kind == "date":
            ranges += {(number, value.low or BEGINNING, value.high or END) for value in found}
        elif kind:
            if owner == "elsewhere":  # the owner is indexed once, under the parameter that names it
                found = [value for value in found if value.url or value.contained or value.type != "Patient"]
            written = {text for value in found for text in TYPES[kind].index(value)}
            if kind == "reference" and "contained" in tree:
                written.update(_contained(tree, found))
            if found and not written:
                written = {MARK}
            tokens += [(number, text) for text in written]
            if kind == "reference" and not owner:  # the owner's own id leads nowhere else
                links += [
                    (number, value.type, value.id) for value in found if value.id and value.type in RESOURCE_TYPES
                ]
    return Indexed(model.clinical(type_, tree) or BEGINNING, tokens, ranges, links)


def _contained(tree: Tree, found: Sequence[Reference]) -> Iterator[bytes]:
    """What references within a resource add to their parameter."""
    inside = contained.resources(tree)
    for value in found:
        target = inside.get(value.contained)
        if target is not None and target is not tree:
            type_ = target["resourceType"]
            yield from contained.carried(type_, indexed(type_, target).tokens)


def added_rows(type_: str, tree: Tree, parameter: SearchParameter) -> Indexed:
    """The rows of one added parameter alone, which must be in force."""
    found = indexed(type_, tree, frozenset({parameter.number}))
    return Indexed(found.clinical, found.tokens, (), found.links)


def has_rows(parameter: SearchParameter) -> bool:
    """Whether an added parameter has rows of its own at all."""
    return bool(_use_of(parameter, "")[0])


def _wanted(type_: str) -> frozenset[int]:
    added = kept_parameters(type_)
    return _with_rows(type_).union(one.number for one in added if has_rows(one)) if added else _with_rows(type_)


@cache
def _with_rows(type_: str) -> frozenset[int]:
    """R4's parameters of a type that have rows. To find the values of the others would cost as much again."""
    return frozenset(one.number for one in official_parameters(type_).values() if _use_of(one, type_)[0])


_uses: dict[tuple[int, str], tuple[str, str]] = {}


def _use(number: int, type_: str) -> tuple[str, str]:
    if number >= FIRST_ADDED:  # may be another parameter tomorrow
        return _use_of(parameter_by_number(number), type_)
    known = _uses.get((number, type_))
    if known is None:
        known = _uses[number, type_] = _use_of(parameter_by_number(number), type_)
    return known


@lru_cache(maxsize=4096)
def _use_of(parameter: SearchParameter, type_: str) -> tuple[str, str]:
    """The type whose `index` makes the rows of a parameter ('' for none), and its part in naming the owner."""
    kind = parameter.type if parameter.type in ("token", "string", "reference", "uri", "date") else ""
    if parameter.code in _NEVER or (kind == "date" and hides_dates(parameter, type_)):
        kind = ""
    owner = ""
    if kind == "reference" and not parameter.added and names_owner(parameter, type_):
        owner = "here" if parameter is owner_parameter(type_) else "elsewhere"
    return kind, owner
