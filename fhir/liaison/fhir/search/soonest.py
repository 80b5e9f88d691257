"""Lists of people over all of a caller's records, on keys alone: nothing is opened, so that five thousand cost what fifty do.

Whoever asks shows a page of them by a search of its own, which journals what it shows; of the question itself the journal
is owed an entry by whoever asks.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple, TypeVar

from liaison.fhir.errors import BadRequest
from liaison.fhir.search.criteria import Context
from liaison.fhir.search.decide import Candidate
from liaison.fhir.search.known import with_parameters
from liaison.fhir.search.links import Links
from liaison.fhir.search.parse import pairs, parse
from liaison.fhir.search.run import Run, candidates_of
from liaison.fhir.search.searching import noted, permitted
from liaison.fhir.store.contract import Caller, Key
from liaison.fhir.store.store import Store

T = TypeVar("T")


class _People(Run):
    """A run over all of a caller's patients."""

    async def firsts(self) -> list[Candidate]:
        """The first match of each patient in index order. Needs a decided plan."""
        assert self.plan.decided and self.plan.order is not None
        patients = self._affordable(await self._scope("patient"))
        compiler = self._compiler("patient")
        records = await self._fetch(
            compiler.firsts(self.plan.kind, patients, self._condition, self._token, self.plan.order)
        )
        if records:
            self.snapshot = records[0]["snapshot"]
        found = candidates_of(records, "key")
        settled = await self._settled(found)
        # The first of some is none for this caller: then it is another of theirs, or none.
        for patient in {one.key.patient for one in found} - {one.key.patient for one in settled}:
            theirs = Run(
                self.store, self.caller, replace(self.plan, owners=(patient,)), self.snapshot, budget=self.budget
            )
            settled += await theirs.page(1, None)
        return settled


class First(NamedTuple):
    """The first match of one patient, and its main date."""

    key: Key
    moment: datetime


async def soonest(store: Store, caller: Caller, type_: str, query: str, *, base_url: str) -> list[First]:
    """Of each of the caller's patients the match whose main date comes first, the soonest patient first.

    Raises BadRequest for criteria that SQL does not decide by itself."""

    async def work(run: Run) -> list[First]:
        if not run.plan.decided or run.plan.order is None:
            raise BadRequest("Only what the index decides can be asked of everybody at once.")
        run.turn()
        people = _People(run.store, run.caller, run.plan, run.snapshot, budget=run.budget)
        found = [First(one.key, one.moment) for one in await people.firsts()]
        return sorted(found, key=lambda one: (one.moment, one.key.res))

    return await _asked(store, caller, type_, query, base_url, work)


async def ranked(store: Store, caller: Caller, type_: str, query: str, *, base_url: str) -> list[Key]:
    """Everything that matches, in the order that `_sort` asks for."""

    async def work(run: Run) -> list[Key]:
        return [one.key for one in await run.all()]

    return await _asked(store, caller, type_, query, base_url, work)


async def _asked(
    store: Store, caller: Caller, type_: str, query: str, base_url: str, work: Callable[[Run], Awaitable[T]]
) -> T:
    async def asked() -> T:
        permitted(caller, (type_,))
        context = Context(type_, base_url, store.database.clock.now())
        links = Links(store, caller, base_url)
        with noted(links):
            return await work(await links.run(parse(pairs(query), context)))

    return await with_parameters(store, query, asked)
