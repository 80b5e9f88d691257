"""From groups of resources to the store: each group in one transaction, several small ones together.

Everything goes through the same unit of writes as a request's: validation, owners, references, classes, rights, journal.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Final

import asyncpg

from liaison.auth.caller import Caller
from liaison.fhir.definitions import RESOURCE_TYPES, kind_of
from liaison.fhir.errors import BadRequest, FhirError, Unprocessable
from liaison.fhir.interactions import content
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.references import target
from liaison.fhir.interactions.resolve import Lenience
from liaison.fhir.interactions.writes import Write
from liaison.fhir.model import dump, references
from liaison.fhir.store import Store
from liaison.services.loading.ledger import Known, Ledger, Line
from liaison.services.loading.report import Report
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
        while later:
            left = await self._load_all([Group("later", later)], final=False)
            if len(left) == len(later):
                await self._load_all([Group("later", later)], final=True)
                break
            later = left
        self.report.seconds = time.perf_counter() - started
        return self.report

    # ---- what goes together ----------------------------------------------------------------------------------------

    async def _load_all(self, groups: list[Group], *, final: bool) -> list[Item]:
        """Loads the groups, those whose names do not meet in one transaction. Returns the items to try again later."""
        later: list[Item] = []
        together: list[Group] = []
        names: set[str] = set()
        for group in groups:
            mine = {name for item in group.items for name in (item.full_url, item.local_name) if name}
            if together and not names.isdisjoint(mine):
                later += await self._load_together(together, final)
                together, names = [], set()
            together.append(group)
            names |= mine
        if together:
            later += await self._load_together(together, final)
        return later

    async def _load_together(self, groups: list[Group], final: bool) -> list[Item]:
        """One transaction; when it is refused as a whole, one for each group."""
        batch = _Batch(self._store, self._ledger, self._logical)
        await batch.add(groups, final)
        try:
            await batch.commit(self._caller, self._base_url)
        except FhirError as error:
            if len(groups) > 1:
                return [item for group in groups for item in await self._load_together([group], final)]
            for item in batch.items_to_write():
                self.report.refuse(item.where, error)
            batch.writes.clear()
        batch.tell(self.report)
        return batch.later


class _Batch:
    """What one transaction stores."""

    def __init__(self, store: Store, ledger: Ledger, logical: bool) -> None:
        self._store, self._ledger = store, ledger
        self._lenience = Lenience(logical=logical)
        self._items: dict[int, tuple[Item, Write, bytes]] = {}
        self._unchanged: list[Item] = []
        self._refused: list[tuple[Item, FhirError]] = []
        self._known: dict[str, Known] = {}
        self.writes: list[Write] = []
        self.later: list[Item] = []

    def items_to_write(self) -> list[Item]:
        return [self._items[id(write)][0] for write in self.writes]

    async def add(self, groups: list[Group], final: bool) -> None:
        """Reads the ledger, leaves out what is unchanged or not valid, and makes a write of each other item."""
        named = {name for group in groups for item in group.items for name in (item.name, item.local_name) if name}
        texts = {text for group in groups for item in group.items for text in _texts(item)}
        self._known = await self._ledger.look_up(self._store.database.reading, named | texts)
        self._lenience.known = {text: self._known[text].key for text in texts if text in self._known}
        for group in groups:
            items = group.items
            if not (final or group.whole):
                items = self._set_aside(items)
            await asyncio.to_thread(self._take, group, items)
        self._lenience.names = {
            item.local_name: write
            for item, write, _ in self._items.values()
            if item.local_name not in self._lenience.known
        }

    def _set_aside(self, items: list[Item]) -> list[Item]:
        """Takes out what refers to a resource of its source that has not come yet."""
        while True:
            here = {name for item in items for name in (item.full_url, item.local_name)}
            kept = [item for item in items if all(text in here or text in self._known for text in _locals(item))]
            if len(kept) == len(items):
                return kept
            staying = {id(item) for item in kept}
            self.later += [item for item in items if id(item) not in staying]
            items = kept

    def _take(self, group: Group, items: list[Item]) -> None:
        writes: list[Write] = []
        for item in items:
            try:
                write = self._write(group, item)
            except FhirError as error:
                self._refused.append((item, error))
                if group.whole:
                    rest = [other for other in items if other is not item]
                    whole = Unprocessable("Its Bundle is stored whole or not at all.")
                    self._refused += [(other, whole) for other in rest]
                    return
                continue
            if write is None:
                self._unchanged.append(item)
            else:
                writes.append(write)
        self.writes += writes

    def _write(self, group: Group, item: Item) -> Write | None:
        """None when the ledger knows it as it is."""
        if item.problem is not None:
            raise item.problem
        tree = item.tree
        assert tree is not None
        type_ = tree.get("resourceType")
        if type_ not in RESOURCE_TYPES:
            raise BadRequest("It is not a resource of FHIR R4.", "resourceType")
        digest = self._ledger.digest(dump(tree))
        known = self._known.get(item.name)
        if known is not None and known.digest == digest:
            return None
        content.checked(tree, type_)
        write = Write("create", type_, tree, "", full_url=item.full_url, none_exist=item.none_exist)
        write.none_exist = item.none_exist.partition("?")[2] or item.none_exist
        write.whole = group.name if group.whole else ""
        alias = self._known.get(item.local_name)
        if known is None and alias is not None and alias.key.kind == kind_of(type_):
            known = alias
        if known is not None:
            write.interaction, write.id_, write.none_exist = "update", self._store.id(known.key), ""
        self._items[id(write)] = (item, write, digest)
        return write

    async def commit(self, caller: Caller, base_url: str) -> None:
        if self.writes:
            await commit(self._store, caller, self.writes, base_url, lenience=self._lenience, also=self._note)

    async def _note(self, connection: asyncpg.Connection) -> None:
        lines: list[Line] = []
        for write in self.writes:
            item, _, digest = self._items[id(write)]
            assert write.key is not None
            if item.name:
                lines.append(Line(self._ledger.source_key(item.name), digest, write.key))
            if item.full_url and item.local_name:
                lines.append(Line(self._ledger.source_key(item.local_name), b"", write.key))
        await self._ledger.write(connection, lines)

    def tell(self, report: Report) -> None:
        """Adds what became of each item to the report."""
        for write in self.writes:
            if write.existing:
                report.unchanged[write.type_] += 1
            else:
                (report.updated if write.interaction == "update" else report.created)[write.type_] += 1
        for item in self._unchanged:
            assert item.tree is not None
            report.unchanged[item.tree["resourceType"]] += 1
        for item, error in self._refused:
            report.refuse(item.where, error)
        for write, error in self._lenience.refused:
            report.refuse(self._items[id(write)][0].where, error)
        report.unmatched += self._lenience.unmatched


def _texts(item: Item) -> list[str]:
    """What its references say."""
    return [] if item.tree is None else [reference["reference"] for _, reference in references(item.tree)]


def _locals(item: Item) -> list[str]:
    """Those that name a resource of its own source by type and id."""
    found = [target(text, "") for text in _texts(item)]
    return [text for text, one in zip(_texts(item), found, strict=True) if one is not None and one.kind == "local"]
