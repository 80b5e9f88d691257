"""history of an instance, a type and the whole base: https://hl7.org/fhir/R4/http.html#history.

Versions the caller may not see are not there. Pages follow a snapshot: versions written meanwhile move nothing. With
`_since`, they end at the horizon of the first page (liaison.fhir.store.horizon): who goes on from the newest that it was
shown, that moment included, misses nothing.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from liaison.fhir.definitions import RESOURCE_TYPES, kind_of, ownership, type_of
from liaison.fhir.errors import Forbidden, NotFound, TooCostly
from liaison.fhir.interactions import history_page, scope, subset
from liaison.fhir.interactions.history_bundle import bundle
from liaison.fhir.interactions.history_page import Asked
from liaison.fhir.search.plan import families_of
from liaison.fhir.search.sql import Family
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Caller, Interaction, Key, Opened, Row
from liaison.fhir.store.horizon import horizon
from liaison.fhir.store.rows import rows_of
from liaison.fhir.store.versions import Place, Versions

BATCH: Final = 500
"""Versions read at once when the scopes' criteria have to be asked of each."""
MOST: Final = 200_000
"""Versions that one page may look at for the scopes' criteria."""


class _What(NamedTuple):
    """Of what the history is: one resource, or types. `path` is where it is asked for, below the base."""

    path: str
    types: tuple[str, ...]
    key: Key | None
    letter: Interaction


async def history(store: Store, caller: Caller, type_: str, id_: str, query: str, base_url: str) -> Answer:
    """A page of one resource's versions. All of them hidden is the same as no resource: NotFound."""
    asked = history_page.asked(store, caller, f"{type_}/{id_}/_history", query)
    subset.of(asked.shaping, type_)  # what is asked wrongly is said before any id is looked at
    key = store.key(type_, id_)
    if key is None:
        raise NotFound
    what = _What(f"{type_}/{id_}/_history", (type_,), key, "r")
    answer = await _Walk(store, caller, what, asked).answer(base_url)
    if not answer.disclosed and not await _Walk(store, caller, what, history_page.EVER).matching(1):
        raise NotFound
    return answer._replace(singled=frozenset({key.patient} - {0}))  # when there is nothing since then, too


async def of_type(store: Store, caller: Caller, type_: str, query: str, base_url: str) -> Answer:
    """A page of the versions of all resources of a type."""
    what = _What(f"{type_}/_history", (type_,), None, "s")
    return await _Walk(store, caller, what, history_page.asked(store, caller, what.path, query)).answer(base_url)


async def of_system(store: Store, caller: Caller, query: str, base_url: str) -> Answer:
    """A page of the versions of everything that the scopes let be searched. Forbidden when that is no type at all."""
    types = tuple(t for t in sorted(RESOURCE_TYPES) if ownership(t).rule != "never" and caller.bound.allows("s", t))
    if not types:
        raise Forbidden("The scopes of this token do not allow 's' on any type.")
    what = _What("_history", types, None, "s")
    return await _Walk(store, caller, what, history_page.asked(store, caller, what.path, query)).answer(base_url)


class _Walk:
    """One page of a history, over the tables in which it lies."""

    def __init__(self, store: Store, caller: Caller, what: _What, asked: Asked) -> None:
        self._store, self._caller, self._what, self._asked = store, caller, what, asked
        self._snapshot, self._window = asked.snapshot, asked.window
        if what.key is not None:
            self._families: tuple[Family, ...] = ("patient" if what.key.patient else "directory",)
        else:
            known = {family for type_ in what.types for family in families_of(type_)}
            self._families = tuple(sorted(known))
        self._wanted = subset.of(asked.shaping, *what.types)
        self._criteria = any(caller.bound.criteria(what.letter, type_) for type_ in what.types)

    async def answer(self, base_url: str) -> Answer:
        """The page as a Bundle. `total` is there when it is certain: everything is on one page, or was counted."""
        asked = self._asked
        if asked.count == 0:
            return bundle(
                self._store, (), asked.links(self._url(base_url)), base_url, await self._count(), self._wanted
            )
        found = await self.matching(asked.count + 1)
        page, more = found[: asked.count], len(found) > asked.count
        following = ""
        if more:
            here = asked.from_here(self._snapshot, self._window, _place(page[-1].row))
            following = history_page.seal(self._store, self._caller, self._what.path, here)
        total = None if more or asked.after is not None else len(page)
        return bundle(self._store, page, asked.links(self._url(base_url), following), base_url, total, self._wanted)

    async def matching(self, limit: int) -> list[Opened]:
        """The first `limit` visible versions that the scopes' criteria let through."""
        found: list[Opened] = []
        after, size = self._asked.after, max(limit, BATCH) if self._criteria else limit
        examined = 0
        while len(found) < limit:
            rows = await self._rows(after, size)
            found += await self._shown(rows)
            if len(rows) < size:
                break
            examined += len(rows)
            if examined > MOST:
                raise TooCostly(f"More than {MOST} versions would have to be looked at: say _since, or name the type.")
            after = _place(rows[-1])
        return found[:limit]

    async def _count(self) -> int:
        if self._criteria:
            return len(await self.matching(MOST))
        total = 0
        for family in self._families:
            versions = await self._versions(family)
            text, arguments = versions.count(self._kinds(family), self._what.key, self._window)
            [[counted]] = await self._store.lanes.fetch(text, *arguments)
            total += counted
        return total

    async def _rows(self, after: Place | None, limit: int) -> list[Row]:
        found: list[Row] = []
        for family in self._families:
            versions = await self._versions(family)
            text, arguments = versions.page(self._kinds(family), self._what.key, self._window, after, limit)
            found += rows_of(await self._store.lanes.fetch(text, *arguments))
        if len(self._families) > 1:
            found.sort(key=lambda row: (-row.at.timestamp(), row.key.res, row.key.patient, row.key.kind, -row.version))
        return found[:limit]

    async def _versions(self, family: Family) -> Versions:
        """All statements of a page see one snapshot: that of the first page, made after its horizon."""
        if not self._snapshot:
            if self._window.since is not None:
                self._window = self._window._replace(horizon=await horizon(self._store.lanes))
            [[self._snapshot]] = await self._store.lanes.fetch("select pg_current_snapshot()::text")
        return Versions(self._store.filter, family, self._caller.session, self._snapshot)

    def _kinds(self, family: Family) -> list[int]:
        return [kind_of(type_) for type_ in self._what.types if family in families_of(type_)]

    async def _shown(self, rows: Sequence[Row]) -> list[Opened]:
        opened = await self._store.open_rows(self._caller, rows)
        if not self._criteria:
            return opened
        letter = self._what.letter
        return [
            one
            for one in opened
            if await scope.shows_version(self._store, self._caller, type_of(one.row.key.kind), one, letter)
        ]

    def _url(self, base_url: str) -> str:
        return f"{base_url}/{self._what.path}"


def _place(row: Row) -> Place:
    return Place(row.at, row.key.res, row.key.patient, row.key.kind, row.version)
