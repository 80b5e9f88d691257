"""_include and _revinclude: resources that the matches refer to, or that refer to them (R4 search.html#include).

They are filtered by the same visible set and scopes: what the caller may not see is not there, as if it did not exist.
References are read from the bodies; their targets, and those that refer back, are asked for at the matches' snapshot.
With `:iterate` what was included is followed in turn, ROUNDS times at most; the page says so when it stopped there. A reference to one version gives that version
(liaison.fhir.search.versions).

A page includes MOST resources at most. What is beyond is left out, and the page says so in an `outcome` entry. Only what
may be seen is counted, so that nothing follows from the limit about what may not.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from liaison.fhir import model
from liaison.fhir.definitions import SearchParameter, parameter_by_number, search_parameters, type_of
from liaison.fhir.errors import Issue
from liaison.fhir.model.values import Reference
from liaison.fhir.search.canonical import Definitions, is_canonical, url_of
from liaison.fhir.search.criteria import Include
from liaison.fhir.search.reference import ours
from liaison.fhir.search.referrers import Referrers
from liaison.fhir.search.run import Run
from liaison.fhir.search.scopes import lets_include, letter_for
from liaison.fhir.search.versions import LOOKED_UP, current, former, not_given
from liaison.fhir.store.contract import Key, Opened, Row

MOST: Final = 5_000
ROUNDS: Final = 10
BATCH: Final = 500
"""Targets of references looked up at once."""


class Includes:
    """What is to be added to one page of a run; `told` says what was left out of it."""

    def __init__(self, run: Run, includes: Sequence[Include], base_url: str) -> None:
        self.run, self.includes, self.base_url = run, includes, base_url
        self.store, self.caller = run.store, run.caller
        self.told: list[Issue] = []
        self._referrers = Referrers(run, base_url)
        self._seen: set[Key] = set()
        self._versions: set[tuple[Key, str]] = set()
        """What was asked for by version."""
        self._found: list[Opened] = []

    async def of(self, matches: Sequence[Opened]) -> list[Opened]:
        """Each resource once, the matches left out; nearest first."""
        if not self.includes:
            return []
        self._seen = {one.row.key for one in matches}
        fresh: Sequence[Opened] = matches
        for turn in range(ROUNDS):
            asked = [one for one in self.includes if one.iterate or turn == 0]
            if not asked or not fresh:
                break
            start = len(self._found)
            if not (await self._add_referred(fresh, asked) and await self._add_referring(fresh, asked)):
                self.told.append(_left_out(f"It includes {MOST} resources, and there are more."))
                break
            fresh = self._found[start:]
        else:
            if fresh and any(one.iterate for one in self.includes):
                self.told.append(_left_out(f"What lies more than {ROUNDS} references away was not looked for."))
        if self._referrers.spent:
            self.told.append(_left_out("Not all that refers to what it holds was looked up: that would cost too much."))
        return self._found

    async def _take(self, rows: Sequence[Row]) -> bool:
        """Adds what the scopes show and is not there yet; False when there is no room for it."""
        new = [row for row in rows if row.key not in self._seen]
        for start in range(0, len(new), BATCH):
            for one in await self.store.open_rows(self.caller, new[start : start + BATCH]):
                if lets_include(self.caller, one, self.base_url):
                    if len(self._found) >= MOST:
                        return False
                    self._seen.add(one.row.key)
                    self._found.append(one)
        return True

    async def _add_referred(self, fresh: Sequence[Opened], asked: Sequence[Include]) -> bool:
        referred, versions = await self._referred(fresh, asked)
        if versions:
            referred |= dict.fromkeys(await self._add_versions(versions))
        keys = [key for key in referred if key not in self._seen]
        for start in range(0, len(keys), BATCH):
            if not await self._take(await self.run.rows(keys[start : start + BATCH])):
                return False
        return True

    async def _add_versions(self, asked: Iterable[tuple[Key, str]]) -> list[Key]:
        """Adds the versions that are referred to. Those that are the last, or not to be had, are left to be added like
        anything that is referred to without a version."""
        new = [one for one in dict.fromkeys(asked) if one not in self._versions]
        self._versions.update(new)
        last = await current(self.run, [key for key, _ in new])
        left = []
        for key, version in new:
            if str(last.get(key)) == version:
                left.append(key)
                continue
            looked_up = len(self._versions) <= LOOKED_UP
            found = await former(self.run, key, version) if looked_up else None
            if found is not None and lets_include(self.caller, found, self.base_url) and len(self._found) < MOST:
                self._found.append(found)
            elif key in last:
                self.told.append(not_given(self.store.reference(key)))
                left.append(key)
        return left

    async def _add_referring(self, fresh: Sequence[Opened], asked: Sequence[Include]) -> bool:
        reverse = [one for one in asked if one.reverse]
        # One more than there is room for, whatever is there already.
        limit = MOST + 1 - len(self._found) + len(self._seen)
        return not reverse or await self._referrers.give([one.row.key for one in fresh], reverse, limit, self._take)

    async def _referred(
        self, fresh: Iterable[Opened], asked: Sequence[Include]
    ) -> tuple[dict[Key, None], list[tuple[Key, str]]]:
        """The resources that these refer to, each once, in the order in which they are named, definitions last; and
        those that are named by version."""
        # The same doctor stands in most of a page: what follows is done once.
        found: dict[tuple[str, str, str], None] = {}
        defined: dict[str, dict[Reference, None]] = {}
        ways = {
            type_: _wanted(type_, [one for one in asked if one.source in ("", type_) and not one.reverse])
            for type_ in {type_of(one.row.key.kind) for one in fresh}
        }
        for one in fresh:
            type_ = type_of(one.row.key.kind)
            if ways[type_]:
                named, canonical = _references(type_, ways[type_], one.body, self.base_url)
                found |= named
                for target, values in canonical.items():
                    defined.setdefault(target, {}).update(values)
        keys: dict[Key, None] = {}
        versions = []
        for type_, id_, version in found:
            key = self.store.key(type_, id_) if letter_for(self.caller, type_) else None
            if key is not None and version:
                versions.append((key, version))
            elif key is not None:
                keys[key] = None
        for target, values in defined.items():
            keys |= dict.fromkeys((await Definitions(self.run, self.base_url).led_to(target, values)).values())
        return keys, versions


def _left_out(said: str) -> Issue:
    return Issue(
        "too-costly",
        f"This page is not all that _include and _revinclude ask for. {said} Ask for fewer matches with _count, or name"
        " the parameters to follow, as in _revinclude=Observation:encounter.",
        severity="warning",
    )


def _wanted(type_: str, includes: Sequence[Include]) -> dict[int, list[str]]:
    """The parameters of the type that some _include follows, each with the types it is followed to ('' for any)."""
    asked: dict[int, list[str]] = {}
    for one in includes:
        for parameter in _parameters(type_, one):
            asked.setdefault(parameter.number, []).append(one.target)
    return asked


def _references(
    type_: str, asked: Mapping[int, Sequence[str]], body: bytes, base_url: str
) -> tuple[dict[tuple[str, str, str], None], dict[str, dict[Reference, None]]]:
    """(type, id, version) of each reference of ours that some _include follows; and the canonicals, by each type of definition to
    which one may lead."""
    found: dict[tuple[str, str, str], None] = {}
    canonical: dict[str, dict[Reference, None]] = {}
    values = model.extract(type_, model.glance(body), frozenset(asked))
    for number, wanted in asked.items():
        for value in values.get(number, ()):
            assert isinstance(value, Reference)
            named = ours(value, base_url)
            if named is not None and ("" in wanted or value.type in wanted):
                found[*named, value.version] = None
            elif value.url and not value.id:
                for target in _defining(number, type_):
                    if "" in wanted or target in wanted:
                        canonical.setdefault(target, {})[value] = None
    return found, canonical


@lru_cache(maxsize=4096)
def _defining(number: int, type_: str) -> tuple[str, ...]:
    """The types of definitions to which canonicals of a parameter may lead."""
    parameter = parameter_by_number(number)
    return tuple(one for one in parameter.target if url_of(one)) if is_canonical(parameter, type_) else ()


def _parameters(type_: str, include: Include) -> Sequence[SearchParameter]:
    if include.parameter is not None:
        return (include.parameter,)
    return [p for p in search_parameters(type_).values() if p.type == "reference"]
