"""One page of a search as its Bundle: what it holds, what is included, and the pages before and after it.

A cut between two pages is the last row before it. The page after a cut holds what comes next; the page before it is read
backwards from that row on, so that walking back gives the pages of the way there.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from liaison.fhir.definitions import type_of
from liaison.fhir.errors import Issue
from liaison.fhir.search import page, versions
from liaison.fhir.search.criteria import Query
from liaison.fhir.search.decide import Candidate
from liaison.fhir.search.include import Includes
from liaison.fhir.search.listing import load, save
from liaison.fhir.search.page import Cursor
from liaison.fhir.search.run import Run
from liaison.fhir.search.searchset import searchset, url
from liaison.fhir.search.several import Several
from liaison.fhir.search.singled import few
from liaison.fhir.search.sql import Position
from liaison.fhir.store.contract import Answer, Opened

_BREATH: Final = 50  # bodies cut between two turns of the event loop


class Around(NamedTuple):
    """The pages beside one, by their relation to it (R4 http.html#paging)."""

    first: Cursor | None = None
    previous: Cursor | None = None
    next: Cursor | None = None


class Page:
    """One page of a run. `query` is that of any of the types: they differ only in what they ask of each. `carried` says
    in which form the page is sent, and so how those that its links lead to are."""

    def __init__(
        self,
        run: Run | Several,
        type_: str,
        query: Query,
        base_url: str,
        here: Cursor,
        first: bool,
        carried: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.carried = carried
        self.run, self.query, self.base_url, self.here, self.first = run, query, base_url, here, first
        self.one = run if isinstance(run, Run) else run.one
        self.store, self.caller, self.type_ = self.one.store, self.one.caller, type_
        self.path = f"{here.compartment}/{type_ or '*'}" if here.compartment else type_

    async def answer(self) -> Answer:
        if self.query.count_only:
            answer = self._searchset([], [], await self.run.count(), Around())
            return answer._replace(singled=few(self.run.counted))
        if self.run.order is None:
            found, total, around = await self._of_list()
        else:
            found, total, around = await self._of_index()
        rows = [one.row for one in found if one.row is not None]
        if len(rows) < len(found):
            rows = await self.run.rows([one.key for one in found])
        matches = await self.store.open_rows(self.caller, rows)
        includes = Includes(self.one, self.query.includes, self.base_url)
        included = await includes.of(matches)
        differing = await versions.differing(self.one, self.query.criteria, matches, self.base_url)
        matches, included = await self._cut(matches), await self._cut(included, match=False)
        total = None if self.query.total == "none" else total
        return self._searchset(matches, included, total, around, (*differing, *includes.told))

    async def _cut(self, shown: list[Opened], *, match: bool = True) -> list[Opened]:
        """The same with the part of each body that `_summary` or `_elements` asks for."""
        subset = self.query.subset
        if subset is None:
            return shown
        cut = []
        for number, one in enumerate(shown, 1):
            cut.append(one._replace(body=subset.of(one.body, type_of(one.row.key.kind), match=match)))
            if number % _BREATH == 0:
                await asyncio.sleep(0)
        return cut

    async def _of_index(self) -> tuple[list[Candidate], int | None, Around]:
        query, run, here = self.query, self.run, self.here
        wanted = query.total in ("accurate", "estimate") and self.first
        start = here.position
        if start is not None and here.backward:
            run.turn()
            start = start._replace(included=True)
        found = await run.first(query.count + 1, start, total=wanted, rough=query.total == "estimate")
        total = run.total if wanted else here.total
        last = found[query.count - 1 :]  # of this page, and one that is beyond it
        found = found[: query.count]
        if here.backward:
            found.reverse()
            cut = self._cursor(total, position=_cut(last[1]), backward=True) if len(last) > 1 else None
            return found, total, Around(self._first(), cut, here._replace(backward=False))
        if len(last) < 2:
            following = None
            total = len(found) if self.first else total
        else:
            following = self._cursor(total, position=_cut(last[0]), backward=False)
        previous = None if here.position is None else here._replace(backward=True)
        return found, total, Around(self._first(), previous, following)

    async def _of_list(self) -> tuple[list[Candidate], int | None, Around]:
        here, count = self.here, self.query.count
        if self.first:
            keys = [one.key for one in await self.run.all()]
            listed = await save(self.store, keys) if len(keys) > count else b""
        else:
            listed = here.stored
            keys = await load(self.store, listed)
        total, upto = len(keys), here.offset + count
        following = self._cursor(total, stored=listed, offset=upto) if total > upto else None
        previous = here._replace(offset=max(0, here.offset - count)) if here.offset else None
        found = [Candidate(key, 0, here.started, here.started, None) for key in keys[here.offset : upto]]
        return found, total, Around(self._first(), previous, following)

    def _cursor(self, total: int | None, **where: Any) -> Cursor:
        return self.here._replace(snapshot=self.run.snapshot or "", total=total, **where)

    def _first(self) -> Cursor | None:
        """The first page once more, at the same snapshot. None on the first page itself."""
        here = self.here
        known = here.position is not None or here.offset
        return here._replace(position=None, backward=False, offset=0) if known else None

    def _searchset(
        self,
        matches: list[Opened],
        included: list[Opened],
        total: int | None,
        around: Around,
        told: Sequence[Issue] = (),
    ) -> Answer:
        links = [("self", url(self.base_url, self.path, (*self.query.pairs, *self.carried)))]
        for relation, cursor in zip(Around._fields, around, strict=True):
            if cursor is not None:
                text = page.seal(self.store.vault.cursor, self.caller, self.type_, cursor)
                links.append((relation, url(self.base_url, self.path, ((page.PARAMETER, text), *self.carried))))
        return searchset(
            matches,
            included,
            total=total,
            links=links,
            told=(*self.query.ignored, *told),
            base_url=self.base_url,
            ids_of=self.store.ids_of,
        )


def _cut(last: Candidate) -> Position:
    return Position(last.moment, last.key.res, last.key.patient)
