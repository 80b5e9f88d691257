"""A search over several types: which they are, and what the query means for each (R4 http.html#search, search.html#all).

Parameters are those that every one of the types has, each in the type's own sense. Without `_type` every type is
searched, which leaves the parameters of all resources (_id, _lastUpdated, _tag…), and at least one has to be given.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from liaison.fhir.definitions import RESOURCE_TYPES, compartment, official_parameters, ownership
from liaison.fhir.errors import BadRequest, Issue, shown
from liaison.fhir.search.criteria import Context, Query
from liaison.fhir.search.parse import parse
from liaison.fhir.search.sort_chain import compared_by

PARAMETER: Final = "_type"


def types_of(type_: str, given: Sequence[tuple[str, str]], owner: str = "") -> tuple[str, ...]:
    """The types searched: the one of the path, those of `_type`, or all there are; in a compartment of the type
    `owner`, all that can be in it; of `_text`, of all these the ones with a narrative. BadRequest names one that is not."""
    members = frozenset(compartment(owner)) if owner else RESOURCE_TYPES
    if type_:
        named = [type_]
    else:
        asked = [value for name, value in given if name == PARAMETER]
        if len(asked) > 1:
            raise BadRequest(f"The parameter '{PARAMETER}' can be given once, its types joined by commas.")
        if not asked:
            narrated = any(name == "_text" for name, _ in given)  # the types without narrative have nothing to find
            return tuple(
                sorted(
                    one
                    for one in members
                    if ownership(one).rule != "never" and (not narrated or "_text" in official_parameters(one))
                )
            )
        named = list(dict.fromkeys(asked[0].split(",")))
    for one in named:
        if one not in RESOURCE_TYPES:
            raise BadRequest(f"'{shown(one)}' is not a resource type of FHIR R4.")
        if one not in members:
            raise BadRequest(f"{one} is not in the compartment of a {owner}.")
        if not type_ and ownership(one).rule == "never":
            raise BadRequest(f"{one} cannot be searched together with other types. {ownership(one).reason}")
    return tuple(named)


def parse_each(
    given: Sequence[tuple[str, str]], types: Sequence[str], base_url: str, now: datetime, *, named: bool, lenient: bool
) -> list[Query]:
    """The query of each type. `named`: the path names the type, and `_type` has no place. BadRequest for what one
    of them does not know; lenient, it is left out for all of them."""
    asked = [pair for pair in given if named or pair[0] != PARAMETER]
    ignored: dict[str, Issue] = {}
    while True:
        found = [parse(asked, Context(type_, base_url, now, tuple(types)), lenient=lenient) for type_ in types]
        if len(types) == 1 and len(found[0].pairs) == len(given):
            return found  # it shows already what it was asked
        ignored |= {issue.diagnostics: issue for query in found for issue in query.ignored}
        common = [pair for pair in asked if all(pair in query.pairs for query in found)]
        if all(len(query.pairs) == len(common) for query in found):
            break
        asked = common
    _require_one_order(found)
    shown = tuple(pair for pair in given if pair in common or (pair[0] == PARAMETER and not named))
    return [replace(query, pairs=shown, ignored=tuple(ignored.values())) for query in found]


def require_narrow(query: Query) -> None:
    """Raises for a search over every type that asks nothing of them."""
    if not query.criteria:
        raise BadRequest(
            issues=[
                Issue(
                    "too-costly",
                    f"Name the types to search, as in {PARAMETER}=Observation,Condition; or give a parameter that every "
                    "type has, such as _id or _lastUpdated.",
                )
            ]
        )


def _require_one_order(found: Sequence[Query]) -> None:
    for keys in zip(*(query.sort for query in found), strict=True):
        if len({compared_by(key) for key in keys}) > 1:
            raise BadRequest(
                f"The parameter '_sort' cannot be by '{keys[0].parameter.code}': it is not of one kind in all the types."
            )
