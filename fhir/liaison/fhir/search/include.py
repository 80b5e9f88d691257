"""_include and _revinclude: resources that the matches refer to, or that refer to them (R4 search.html#include).

They are filtered by the same visible set and scopes: what the caller may not see is not there, as if it did not exist.
References are read from the bodies; their targets, and those that refer back, are asked for at the matches' snapshot.
With `:iterate` what was included is followed in turn, ROUNDS times at most. A page includes MOST resources at most.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import orjson

from liaison.fhir import model
from liaison.fhir.definitions import SearchParameter, search_parameters, type_of
from liaison.fhir.errors import TooCostly
from liaison.fhir.model.values import Reference
from liaison.fhir.search.criteria import Criterion, Include, Query
from liaison.fhir.search.plan import plan
from liaison.fhir.search.reference import Link, ours, ways
from liaison.fhir.search.run import Run
from liaison.fhir.search.scopes import bound, lets_include, letter_for
from liaison.fhir.store.contract import Key, Opened

MOST: Final = 5_000
ROUNDS: Final = 10
MOST_TOKENS: Final = 200_000


class Includes:
    """What is to be added to one page of a run."""

    def __init__(self, run: Run, includes: Sequence[Include], base_url: str) -> None:
        self.run, self.includes, self.base_url = run, includes, base_url
        self.store, self.caller = run.store, run.caller

    async def of(self, matches: Sequence[Opened]) -> list[Opened]:
        """Each resource once, the matches left out; nearest first."""
        seen = {one.row.key for one in matches}
        found: list[Opened] = []
        fresh: Sequence[Opened] = matches
        for turn in range(ROUNDS):
            asked = [one for one in self.includes if one.iterate or turn == 0]
            if not asked or not fresh:
                break
            keys = [key for key in self._referred(fresh, asked) if key not in seen]
            added = await self._opened(keys)
            for one in asked:
                if one.reverse:
                    added += await self._referring(one, fresh)
            fresh = []
            for opened in added:
                if opened.row.key not in seen:
                    seen.add(opened.row.key)
                    fresh.append(opened)
            found += fresh
            self._check(len(found))
        return found

    def _check(self, count: int) -> None:
        if count > MOST:
            raise TooCostly(f"This page would include more than {MOST} resources. Ask for fewer matches with _count.")

    async def _opened(self, keys: Sequence[Key]) -> list[Opened]:
        self._check(len(keys))
        opened = await self.store.open_rows(self.caller, await self.run.rows(keys))
        return [one for one in opened if lets_include(self.caller, one, self.base_url)]

    def _referred(self, fresh: Iterable[Opened], asked: Sequence[Include]) -> dict[Key, None]:
        """The resources that these refer to, each once, in the order in which they are named."""
        found: dict[Key, None] = {}
        for one in fresh:
            type_ = type_of(one.row.key.kind)
            forward = [include for include in asked if include.source == type_ and not include.reverse]
            for named, id_ in _references(type_, forward, one.body, self.base_url) if forward else ():
                key = self.store.key(named, id_) if letter_for(self.caller, named) else None
                if key is not None:
                    found[key] = None
        return found

    async def _referring(self, include: Include, fresh: Iterable[Opened]) -> list[Opened]:
        """The resources of one type that refer to these."""
        letter = letter_for(self.caller, include.source)
        if letter is None:
            return []
        found: dict[Key, Opened] = {}
        for parameter in _parameters(include.source, include):
            links = []
            for one in fresh:
                type_ = type_of(one.row.key.kind)
                if include.target in ("", type_) and (not parameter.target or type_ in parameter.target):
                    id_ = self.store.id(one.row.key)
                    links.append(Link(ways(type_, id_, self.base_url), ((type_, id_),)))
            if not links:
                continue
            query = Query(include.source, (Criterion(parameter.code, "", parameter, tuple(links)),))
            allowed = bound(self.caller, letter, include.source, self.base_url)
            run = Run(self.store, self.caller, plan(query, allowed, self.store.key), self.run.snapshot)
            await run.afford(len(links), MOST_TOKENS)
            some = await (run.page(MOST + 1, None) if run.plan.decided else run.matching(MOST + 1, None))
            self._check(len(some))
            rows = [one.row for one in some if one.row is not None]
            if len(rows) < len(some):
                rows = await run.rows([one.key for one in some])
            for opened in await self.store.open_rows(self.caller, rows):
                found[opened.row.key] = opened
        return list(found.values())


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
            named = ours(value, base_url)
            if named is not None and ("" in wanted or value.type in wanted):
                yield named


def _parameters(type_: str, include: Include) -> Sequence[SearchParameter]:
    if include.parameter is not None:
        return (include.parameter,)
    return [p for p in search_parameters(type_).values() if p.type == "reference"]
