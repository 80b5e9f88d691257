"""Which definitions canonical references lead to, and by which canonicals something refers to a definition (R4
references.html#canonical): its `url`, with the `version` that stands beside it or without. Without a version it is the
latest that counts (resources.html#versions): the highest version, and the last written of equal ones. Only what the caller
may see and search is there: the latest of these is the latest.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Final, NamedTuple

from liaison.fhir import model
from liaison.fhir.definitions import DIRECTORY_TYPES, SearchParameter, official_parameters, type_of
from liaison.fhir.model.values import Reference, Uri
from liaison.fhir.search import reference
from liaison.fhir.search.criteria import Criterion, Query
from liaison.fhir.search.elements import data_types
from liaison.fhir.search.plan import Plan, plan
from liaison.fhir.search.run import Run
from liaison.fhir.search.scopes import bound, letter_for
from liaison.fhir.store.contract import Key

_AT_ONCE: Final = 200
_CANONICAL: Final = frozenset({"canonical", "uri"})


@cache
def is_canonical(parameter: SearchParameter, type_: str) -> bool:
    """Whether a reference parameter looks at canonicals on this type."""
    return parameter.type == "reference" and not data_types(parameter, type_).isdisjoint(_CANONICAL)


@cache
def url_of(type_: str) -> SearchParameter | None:
    """The parameter for the canonical URL of resources of a type; None for one that defines nothing."""
    found = official_parameters(type_).get("url")
    return found if found is not None and found.type == "uri" and type_ in DIRECTORY_TYPES else None


def natural(version: str) -> list[tuple[int, str]]:
    """1.10 after 1.9; what is no number before what is one."""
    return [(int(part), "") if part.isdecimal() and len(part) < 19 else (-1, part) for part in version.split(".")]


class Definition(NamedTuple):
    key: Key
    url: str
    version: str
    at: datetime


def meant(known: Iterable[Definition], url: str, version: str) -> Key | None:
    """Which of these a canonical leads to."""
    found = [one for one in known if one.url == url and version in ("", one.version)]
    return max(found, key=lambda one: (natural(one.version), one.at)).key if found else None


@dataclass(frozen=True, slots=True)
class Definitions:
    """Those that the caller of a run may see and search, at its snapshot and within its budget."""

    run: Run
    base_url: str

    async def of(self, type_: str, urls: Collection[str]) -> list[Definition]:
        """Those of a type that have one of these URLs, in every version."""
        url, letter = url_of(type_), letter_for(self.run.caller, type_)
        if url is None or letter is None:
            return []
        found = []
        each = sorted(urls)
        for start in range(0, len(each), _AT_ONCE):
            asked = Criterion(url.code, "", url, tuple(each[start : start + _AT_ONCE]))
            limits = bound(self.run.caller, letter, type_, self.base_url)
            made = plan(Query(type_, (asked,)), limits, self.run.store.key)
            run = self._running(replace(made, also=frozenset({url.number})))
            for facts, one in await run.matched(values=True):
                for value in facts.values.get(url.number, ()):
                    found.append(Definition(one.key, value.value, value.version, one.at))
        return found

    async def led_to(self, type_: str, values: Iterable[Reference]) -> dict[Reference, Key]:
        """The definition of a type that each of these canonicals leads to, where there is one."""
        asked = {value for value in values if value.url and not value.id}
        known = await self.of(type_, {value.url for value in asked}) if asked else []
        found = {value: meant(known, value.url, value.version) for value in asked}
        return {value: key for value, key in found.items() if key is not None}

    async def tokens_of(self, keys: Iterable[Key]) -> dict[Key, list[bytes]]:
        """How canonicals that lead to each of these are written in the index."""
        by_type: dict[str, list[Key]] = {}
        for key in keys:
            if url_of(type_of(key.kind)) is not None:
                by_type.setdefault(type_of(key.kind), []).append(key)
        found: dict[Key, list[bytes]] = {}
        for type_, some in by_type.items():
            named = await self._named(type_, some)
            known = await self.of(type_, {url for url, _ in named.values()})
            for key, (url, version) in named.items():
                found[key] = [reference.of(f"{url}|{one}") for one in {version, ""} if meant(known, url, one) == key]
        return found

    async def _named(self, type_: str, keys: Sequence[Key]) -> dict[Key, tuple[str, str]]:
        """URL and version of each that has one."""
        url = url_of(type_)
        assert url is not None
        found = {}
        for start in range(0, len(keys), _AT_ONCE):
            rows = await self.run.rows(keys[start : start + _AT_ONCE])
            self.run.budget.spend(len(rows))
            for opened in await self.run.store.open_rows(self.run.caller, rows):
                for value in model.extract(type_, model.glance(opened.body), {url.number}).get(url.number, ()):
                    assert isinstance(value, Uri)
                    found[opened.row.key] = value.value, value.version
        return found

    def _running(self, made: Plan) -> Run:
        run = self.run
        return Run(run.store, run.caller, made, run.snapshot, budget=run.budget)
