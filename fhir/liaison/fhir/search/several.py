"""Several runs as one: a search over several types, or over the branches of a compartment, in one order and one snapshot.

No two runs find the same resource. Each is asked for as many as the page holds, and the first of them all are the page;
totals add up. What one run may open is opened from the budget of all.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final, TypeVar

from liaison.fhir.errors import TooCostly
from liaison.fhir.search.criteria import SortKey
from liaison.fhir.search.decide import Candidate
from liaison.fhir.search.run import Run, place
from liaison.fhir.search.sort import BY_UPDATE, merged
from liaison.fhir.search.sql import Order, Position
from liaison.fhir.store.contract import Key, Row

T = TypeVar("T")

FEW: Final = 8
"""Types that are simply asked. Of more, it is first asked which have anything that the caller may see."""


class Several:
    """Has what a page asks of a Run. `runs` is never empty, and each has the same sort keys by name."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = list(runs)
        self.one = runs[0]
        self.total: int | None = None
        orders = {run.plan.order for run in runs}
        self.order: Order | None = orders.pop() if len(orders) == 1 else None
        if self.order is None and not self.one.plan.query.sort:
            self.order = BY_UPDATE
        for run in runs:
            run.budget = self.one.budget
            run.plan = replace(run.plan, order=self.order)

    @property
    def snapshot(self) -> str | None:
        return self.one.snapshot

    async def begin(self) -> None:
        """All runs at one snapshot, and without the types of which there is nothing to see."""
        snapshot = self.one.snapshot
        if snapshot is None:
            [[snapshot]] = await self.one.store.lanes.fetch("select pg_current_snapshot()::text")
        for run in self.runs:
            run.snapshot = snapshot
        wide = [run for run in self.runs if run.plan.owners is None and "patient" in run.plan.families]
        own = await wide[0].everyone() if wide else None
        for run in wide:
            run.own = own
        if len({run.plan.kind for run in self.runs}) > FEW:
            self.runs = await self._with_any()

    async def _with_any(self) -> list[Run]:
        """The runs of whose type there is something to see where they look: asked once for all that look there."""
        alike: dict[tuple[object, ...], list[Run]] = {}
        for run in self.runs:
            alike.setdefault((run.plan.owners, run.plan.families), []).append(run)
        present = {
            where: await some[0].present(sorted({run.plan.kind for run in some})) for where, some in alike.items()
        }
        return [run for run in self.runs if run.plan.kind in present[run.plan.owners, run.plan.families]]

    @property
    def counted(self) -> set[int]:
        return {patient for run in self.runs for patient in run.counted}

    def turn(self) -> None:
        """From here on in the opposite order."""
        assert self.order is not None
        self.order = self.order.turned
        for run in self.runs:
            run.turn()

    async def count(self) -> int:
        return sum(await self._each(lambda run: run.count()))

    async def first(
        self, limit: int, after: Position | None, *, total: bool = False, rough: bool = False
    ) -> list[Candidate]:
        """The first `limit` matches after a position, in index order; with `total`, the number of all of them, which with
        `rough` is left out where it is too costly."""
        order = self.order
        assert order is not None
        found = _flat(await self._each(lambda run: run.first(limit, after)))
        if total:
            with suppress(*(TooCostly,) if rough else ()):
                self.total = await self.count()
        return sorted(found, key=lambda one: place(one, order))[:limit]

    async def all(self) -> list[Candidate]:
        """Every match, in the order asked for."""
        groups = await self._each(lambda run: run.ranked())
        sorts: list[Sequence[SortKey]] = [run.plan.query.sort for run in self.runs]
        return merged(list(zip(groups, sorts, strict=True)))

    async def rows(self, keys: Sequence[Key]) -> list[Row]:
        return await self.one.rows(keys)

    async def _each(self, ask: Callable[[Run], Awaitable[T]]) -> list[T]:
        """Of every run; the first error once all have ended, so that none is left running."""
        done = await asyncio.gather(*map(ask, self.runs), return_exceptions=True)
        for one in done:
            if isinstance(one, BaseException):
                raise one
        return [one for one in done if not isinstance(one, BaseException)]


def _flat(groups: Iterable[list[Candidate]]) -> list[Candidate]:
    return [one for group in groups for one in group]
