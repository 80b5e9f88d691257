"""From groups of resources to the store: each group in one transaction, several small ones together.

Everything goes through the same unit of writes as a request's: validation, owners, references, classes, rights, journal.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from liaison.auth.caller import Caller
from liaison.fhir.errors import FhirError, Unprocessable
from liaison.fhir.store import Store
from liaison.services.loading.batch import Batch
from liaison.services.loading.ledger import Ledger
from liaison.services.loading.report import Report
from liaison.services.loading.said import NOTHING, said_by_conditions
from liaison.services.loading.sources import Group, Item

TOGETHER: Final = 1000
"""Resources that one transaction is filled up to; one group larger than that is one transaction."""

Progress = Callable[[int], None]


class Loader:
    """One import. `logical` turns references that lead to nothing into logical ones instead of refusing."""

    def __init__(self, store: Store, caller: Caller, base_url: str, source: str, *, logical: bool) -> None:
        self._store, self._caller, self._base_url, self._logical = store, caller, base_url, logical
        self._ledger = Ledger(store.vault, source)
        self.report = Report()

    async def load(self, groups: Iterator[Group], progress: Progress = lambda _: None) -> Report:
        """Stores everything that can be. What refers to something that comes later is tried again at the end."""
        started = time.perf_counter()
        later: list[Item] = []
        waiting: list[Group] = []
        while (group := await asyncio.to_thread(next, groups, None)) is not None:
            self.report.read += len(group.items)
            waiting.append(group)
            if sum(len(one.items) for one in waiting) >= TOGETHER:
                later += await self._load_all(waiting, final=False)
                waiting = []
            progress(self.report.read)
        later += await self._load_all(waiting, final=False)
        await self.finish(later)
        self.report.seconds = time.perf_counter() - started
        return self.report

    async def store(self, groups: list[Group]) -> list[Item]:
        """Stores what can be of these groups. Returns what refers to something that has not come yet."""
        return await self._load_all(groups, final=False)

    async def finish(self, later: list[Item]) -> None:
        """Stores what can be of what is left, once everything has come."""
        while later:
            left = await self._load_all([Group("later", later)], final=False)
            if len(left) == len(later):
                await self._load_all([Group("later", later)], final=True)
                break
            later = left

    # ---- what goes together ----------------------------------------------------------------------------------------

    async def _load_all(self, groups: list[Group], *, final: bool) -> list[Item]:
        """Loads the groups, those that do not meet in one transaction. Returns the items to try again later."""
        later: list[Item] = []
        together: list[Group] = []
        all_say = NOTHING
        for group in groups:
            says = said_by_conditions(group)
            if together and all_say.meets(says):
                later += await self._load_together(together, final)
                together, all_say = [], NOTHING
            together.append(group)
            all_say |= says
        if together:
            later += await self._load_together(together, final)
        return later

    async def _load_together(self, groups: list[Group], final: bool) -> list[Item]:
        """One transaction; when it is refused as a whole, one for each group, and then for less and less of a group, so that one
        resource which may not be stored keeps no other out. What asks for something that it may have made follows in others."""
        batch = Batch(self._store, self._ledger, self._logical)
        await batch.add(groups, final)
        try:
            await batch.commit(self._caller, self._base_url)
        except FhirError as error:
            if parts := _apart(groups, error):
                return [item for part in parts for item in await self._load_together([part], final)]
            for item in batch.items_to_write():
                self.report.refuse(item.where, error)
            batch.writes.clear()
        batch.tell(self.report)
        later = batch.later
        for group in batch.again:
            later += await self._load_together([group], final)
        return later


def _apart(groups: list[Group], error: FhirError) -> list[Group]:
    """The groups, each for itself; of a single one its halves, if it is not whole and it is its content that is refused."""
    if len(groups) > 1:
        return groups
    [group] = groups
    middle = len(group.items) // 2
    if group.whole or not middle or not isinstance(error, Unprocessable):
        return []
    return [replace(group, items=group.items[:middle]), replace(group, items=group.items[middle:])]
