"""_include: resources that the matches refer to, filtered by the same visible set and scopes (R4 search.html#include).

References are read from the matches themselves; their targets are asked for in one statement a family of tables. What
the caller may not see is not there, as if it did not exist. At most MOST are followed for a page.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import orjson

from liaison.fhir import model
from liaison.fhir.definitions import RESOURCE_TYPES, SearchParameter, search_parameters
from liaison.fhir.errors import TooCostly
from liaison.fhir.model.values import Reference
from liaison.fhir.search.criteria import Include, Query
from liaison.fhir.store.contract import Caller, Interaction, Key, Opened
from liaison.fhir.store.store import Store

MOST: Final = 5_000


def targets(store: Store, caller: Caller, query: Query, matches: Sequence[Opened], base_url: str) -> list[Key]:
    """The resources to be included, each once, in the order in which the matches name them; matches left out."""
    found: dict[Key, None] = {}
    own = {one.row.key for one in matches}
    for one in matches:
        for named, id_ in _references(query.type_, query.includes, one.body, base_url):
            if letter_for(caller, named) is None:
                continue
            key = store.key(named, id_)
            if key is not None and key not in own:
                found[key] = None
    if len(found) > MOST:
        raise TooCostly(f"The matches of this page refer to more than {MOST} resources. Ask for fewer with _count.")
    return list(found)


def letter_for(caller: Caller, type_: str) -> Interaction | None:
    """Under which letter the scopes let a resource of this type be included, or None."""
    letters: tuple[Interaction, ...] = ("s", "r")
    return next((letter for letter in letters if caller.bound.allows(letter, type_)), None)


def _references(type_: str, includes: Sequence[Include], body: bytes, base_url: str) -> Iterator[tuple[str, str]]:
    """(type, id) of each reference of ours that some _include follows."""
    asked: dict[int, list[str]] = {}
    for one in includes:
        for parameter in _parameters(type_, one):
            asked.setdefault(parameter.number, []).append(one.target)
    values = model.extract(type_, orjson.loads(body), asked)
    for number, wanted in asked.items():
        for value in values.get(number, ()):
            assert isinstance(value, Reference)
            own = not value.url or value.url == f"{base_url}/{value.type}/{value.id}"
            if own and value.type in RESOURCE_TYPES and ("" in wanted or value.type in wanted):
                yield value.type, value.id


def _parameters(type_: str, include: Include) -> Sequence[SearchParameter]:
    if include.parameter is not None:
        return (include.parameter,)
    return [p for p in search_parameters(type_).values() if p.type == "reference"]
