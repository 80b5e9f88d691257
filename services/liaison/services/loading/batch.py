"""What one transaction of an import stores: which items are new, changed, unchanged, too early or refused."""

from dataclasses import replace

import asyncpg

from liaison.auth.caller import Caller
from liaison.fhir.definitions import DIRECTORY_TYPES, type_of
from liaison.fhir.errors import Conflict, FhirError, Unprocessable
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.lenience import Lenience
from liaison.fhir.interactions.writes import Write
from liaison.fhir.model import check_digits
from liaison.fhir.store import Store
from liaison.fhir.store.identity import identifier_of, identifiers
from liaison.services.loading.ledger import Known, Ledger, Line
from liaison.services.loading.report import Report
from liaison.services.loading.said import condition_of
from liaison.services.loading.sources import Group, Item


class Batch:
    """What one transaction stores."""

    def __init__(self, store: Store, ledger: Ledger, logical: bool) -> None:
        self._store, self._ledger = store, ledger
        self._lenience = Lenience(logical=logical)
        self._items: dict[int, tuple[Item, Write, bytes]] = {}
        self._unchanged: list[Item] = []
        self._destroyed: list[Item] = []
        self._refused: list[tuple[Item, FhirError]] = []
        self._known: dict[str, Known] = {}
        self.writes: list[Write] = []
        self.later: list[Item] = []
        self.again: list[Group] = []
        """What asks whether something is there that this transaction may make: to be stored next, by one of its own."""

    def items_to_write(self) -> list[Item]:
        return [self._items[id(write)][0] for write in self.writes]

    async def add(self, groups: list[Group], final: bool) -> None:
        """Reads the ledger, leaves out what is unchanged or not valid, and makes a write of each other item."""
        named = {name for group in groups for item in group.items for name in (item.name, item.local_name) if name}
        texts = {text for group in groups for item in group.items for text in item.texts}
        self._known = await self._ledger.look_up(self._store.database.reading, named | texts)
        self._lenience.known = {text: self._known[text].key for text in texts if text in self._known}
        gone = await self._ledger.destroyed(self._store.database.reading, named)
        for each in groups:
            group = self._without_destroyed(each, gone) if gone else each
            items = group.items if group.whole else self._without_repeated(group)
            if not (final or group.whole):
                items = self._set_aside(items)
            self._take(group, items)
        self._lenience.names = self._names()

    def _without_destroyed(self, group: Group, gone: frozenset[str]) -> Group:
        """Takes out what stood for something of a record that was destroyed, changed since or not."""
        there = [item for item in group.items if not gone & {item.name, item.local_name}]
        self._destroyed += [item for item in group.items if gone & {item.name, item.local_name}]
        return replace(group, items=there)

    def _names(self) -> dict[str, Write]:
        """What references may say of the resources of this transaction: their local names, and their identifiers."""
        names: dict[str, Write] = {}
        twice: set[str] = set()
        for item, write, _ in self._items.values():
            said = [item.local_name] if item.local_name and item.local_name not in self._lenience.known else []
            if write.type_ in DIRECTORY_TYPES and item.tree is not None:
                said += [f"{write.type_}?identifier={system}|{value}" for system, value in identifiers(item.tree)]
            for name in said:
                if names.setdefault(name, write) is not write:
                    twice.add(name)
        return {name: write for name, write in names.items() if name not in twice}

    def _without_repeated(self, group: Group) -> list[Item]:
        """Takes out what has the name of an item before it, asks the same, or asks for an identifier that one has, and what
        refers to that: a transaction looks for all before it creates anything, so each would create what is to be one."""
        kept: list[Item] = []
        repeated: list[Item] = []
        asked: set[tuple[str, str]] = set()
        made: set[tuple[str, tuple[str, str]]] = set()
        names: set[str] = set()
        for item in group.items:
            type_ = str((item.tree or {}).get("resourceType"))
            query = condition_of(item)
            wanted = identifier_of(query)
            same = bool(item.name) and item.name in names
            if same or (query and ((type_, query) in asked or (wanted is not None and (type_, wanted) in made))):
                repeated.append(item)
                continue
            kept.append(item)
            names.add(item.name)
            asked.add((type_, query))
            made |= {(type_, one) for one in identifiers(item.tree or {})}
        named: set[str] = set()
        while further := {name for one in repeated for name in (one.full_url, one.local_name) if name} - named:
            named.update(further)
            repeated += [item for item in kept if not item.texts.isdisjoint(named)]
            kept = [item for item in kept if item.texts.isdisjoint(named)]
        if repeated:
            self.again.append(Group(group.name, repeated))
        return kept

    def _set_aside(self, items: list[Item]) -> list[Item]:
        """Takes out what refers to a resource of its source that has not come yet."""
        while True:
            here = {name for item in items for name in (item.full_url, item.local_name)}
            kept = [item for item in items if all(text in here or text in self._known for text in item.local_texts)]
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
        type_ = tree["resourceType"]
        digest = self._ledger.digest(item.digest)
        known = self._known.get(item.name) or self._known.get(item.local_name)
        if known is not None and known.digest == digest:
            return None
        write = Write("create", type_, tree, "", full_url=item.full_url, linked=item.linked, referring=item.referring)
        write.none_exist = condition_of(item)
        write.whole = group.name if group.whole else ""
        if known is not None and type_of(known.key.kind) != type_:
            raise Conflict(
                f"This name stood for a resource of type {type_of(known.key.kind)} in an earlier import of this source."
                " Give it another name, or the import another --source."
            )
        if known is not None:
            write.interaction, write.id_, write.none_exist = "update", self._store.id(known.key), ""
        self._items[id(write)] = (item, write, digest)
        return write

    async def commit(self, caller: Caller, base_url: str) -> None:
        if self.writes:
            await commit(self._store, caller, self.writes, base_url, lenience=self._lenience, also=self._note)

    async def _note(self, connection: asyncpg.Connection) -> None:
        lines: list[Line] = []
        second: list[Line] = []
        for write in self.writes:
            item, _, digest = self._items[id(write)]
            assert write.key is not None
            if item.name:
                lines.append(Line(self._ledger.source_key(item.name), digest, write.key))
            if item.full_url and item.local_name:
                second.append(Line(self._ledger.source_key(item.local_name), digest, write.key))
        await self._ledger.write(connection, lines)
        await self._ledger.write(connection, second, second=True)

    def tell(self, report: Report) -> None:
        """Adds what became of each item to the report."""
        for write in self.writes:
            if write.existing:
                report.unchanged[write.type_] += 1
            else:
                (report.updated if write.interaction == "update" else report.created)[write.type_] += 1
                item = self._items[id(write)][0]
                report.doubtful += [
                    (item.where, f"{words} [{path}]") for path, words in check_digits.doubtful(item.tree or {})
                ]
        for item in self._unchanged:
            assert item.tree is not None
            report.unchanged[item.tree["resourceType"]] += 1
        for item in self._destroyed:
            assert item.tree is not None
            report.destroyed[item.tree["resourceType"]] += 1
        for item, error in self._refused:
            report.refuse(item.where, error)
        for write, error in self._lenience.refused:
            report.refuse(self._items[id(write)][0].where, error)
        report.unmatched += self._lenience.unmatched
