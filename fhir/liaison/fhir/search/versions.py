"""References to one version of a resource (R4 search.html#versions).

A chain is decided on what its target says now, whatever version a match names: a search looks at current versions. Where
the two differ the page says so in an `outcome` entry, of what the caller may see. `_include` gives the version that is
named; where that is not to be had, the current one, and says so.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from liaison.fhir import model
from liaison.fhir.definitions import type_of
from liaison.fhir.errors import Issue
from liaison.fhir.model.values import Reference
from liaison.fhir.search.chain import Chained
from liaison.fhir.search.criteria import Criterion
from liaison.fhir.search.expression import leaves
from liaison.fhir.search.reference import ours
from liaison.fhir.search.run import Run
from liaison.fhir.store.contract import Key, Opened

LOOKED_UP: Final = 100
"""Former versions that one page includes: each is a look-up of its own."""
_AT_ONCE: Final = 500
_MARK: Final = b"/_history/"
_TOLD: Final = 20


async def differing(run: Run, criteria: Iterable[Criterion], matches: Sequence[Opened], base_url: str) -> list[Issue]:
    """What is to be said of matches that name a version on which no chain of the query was decided."""
    links = {
        one.parameter.number: one.parameter.code
        for one in leaves(list(criteria))
        if isinstance(one, Chained) and not one.reverse
    }
    if not links:
        return []
    named: dict[tuple[Key, str], list[tuple[Key, str]]] = {}
    for one in matches:
        if _MARK in one.body:
            found = model.extract(type_of(one.row.key.kind), model.glance(one.body), frozenset(links))
            for number, values in found.items():
                named.setdefault((one.row.key, links[number]), []).extend(versioned(run, values, base_url))
    last = await current(run, {key for some in named.values() for key, _ in some})
    told = [
        _warning(
            f"{run.store.reference(match)} names another version by '{code}' than the last, on which the chain was decided."
        )
        for (match, code), some in named.items()
        if any(key in last and str(last[key]) != version for key, version in some)
    ]
    if len(told) > _TOLD:
        told[_TOLD:] = [_warning(f"So do {len(told) - _TOLD} more.")]
    return told


def not_given(reference: str) -> Issue:
    """Of what is included instead of a version of it."""
    return _warning(f"The last version of {reference} is included: the one that is referred to is not to be had here.")


def _warning(said: str) -> Issue:
    return Issue("informational", said, severity="warning")


def versioned(run: Run, values: Iterable[object], base_url: str) -> list[tuple[Key, str]]:
    """What those of these references lead to that name a version of something of ours."""
    found = []
    for value in values:
        if isinstance(value, Reference) and value.version and (named := ours(value, base_url)) is not None:
            key = run.store.key(*named)
            if key is not None:
                found.append((key, value.version))
    return found


async def current(run: Run, keys: Iterable[Key]) -> dict[Key, int]:
    """The last version of each of these that may be seen."""
    each = sorted(set(keys))
    found: dict[Key, int] = {}
    for start in range(0, len(each), _AT_ONCE):
        found |= {row.key: row.version for row in await run.rows(each[start : start + _AT_ONCE])}
    return found


async def former(run: Run, key: Key, version: str) -> Opened | None:
    """One version that is not the last, judged by its own classes and the caller's rights of now; None when it is not to be
    had."""
    if not version.isdecimal() or len(version) > 9:
        return None
    found = await run.store.version(run.caller, key, int(version))
    return None if found is None or found.row.deleted else found
