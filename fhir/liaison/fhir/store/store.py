"""The open store: the one way to rows. It cannot be had without an access filter and hooks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Container, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, Self

import asyncpg
import structlog

from liaison.fhir.definitions import DIRECTORY_TYPES, RESOURCE_TYPES, type_of
from liaison.fhir.errors import Unavailable
from liaison.fhir.model import dump, read
from liaison.fhir.model.abridging import abridged
from liaison.fhir.model.withholding import named_in, without
from liaison.fhir.store import faults, identity, ids, locks, rows, writer
from liaison.fhir.store.acquainted import Acquainted
from liaison.fhir.store.contract import (
    NAMES_HIDDEN,
    AccessFilter,
    Caller,
    Change,
    Hooks,
    Indexed,
    Key,
    Opened,
    Row,
    Tree,
    Unit,
    make,
)
from liaison.fhir.store.database import Database, connection
from liaison.fhir.store.lanes import Lanes
from liaison.fhir.store.parameters import Parameters
from liaison.fhir.store.reader import Reader
from liaison.fhir.store.referring import Referring
from liaison.fhir.store.shared import Shared
from liaison.fhir.vault import NotAuthentic, PatientKey, Vault

log = structlog.get_logger()

_NOTHING_HIDDEN: Final[frozenset[str]] = frozenset()
_ALONE: Final = 8
"""At most so many connections of a worker are inside `alone`, or wait to be: they are no pool's."""


class Store:
    """Implements contract.Records. What may not be seen is the same None as what does not exist."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        filter_: AccessFilter,
        hooks: Hooks,
        *,
        index: writer.Index | None = None,
    ) -> None:
        self.database = database
        self.vault = vault
        self.filter = filter_
        self.hooks = hooks
        self.ids = ids.Ids(vault.id_key)
        self.reader = Reader(database, vault, filter_)
        self.lanes = Lanes(database)
        self.acquainted = Acquainted(filter_, database, vault)
        self.parameters = Parameters(database, vault)
        self.referring = Referring(database, self.lanes, vault)
        self.shared = Shared(database, self._write)
        self._alone = asyncio.Semaphore(_ALONE)
        self._index = index or _index_of_search()

    async def close(self) -> None:
        """Ends the connections of its own; the database stays open."""
        await self.shared.close()
        await self.reader.close()
        await self.lanes.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # ---- names -----------------------------------------------------------------------------------------------------

    def key(self, type_: str, id_: str) -> Key | None:
        """The key an id names, or None for an id that was never made here."""
        key = self.ids.decode(type_, id_)
        # An id of the directory names no patient's resource, and the other way round.
        return key if key is not None and (key.patient != 0 or type_ in DIRECTORY_TYPES) else None

    def id(self, key: Key) -> str:
        return self.ids.encode(key)

    def ids_of(self, keys: Sequence[Key]) -> list[str]:
        return self.ids.encode_all(keys)

    def reference(self, key: Key) -> str:
        """'Type/id'."""
        return f"{type_of(key.kind)}/{self.ids.encode(key)}"

    def new_key(self, patient: int, kind: int) -> Key:
        return Key(patient, kind, ids.new_resource())

    def new_patient(self) -> int:
        return ids.new_patient()

    # ---- reading ---------------------------------------------------------------------------------------------------

    async def read(self, caller: Caller, key: Key) -> Opened | None:
        """The current version when the caller may see it, deleted or not. Calls that wait together share a query."""
        row = await self.reader.read(caller, key)
        if row is None:
            return None
        patient_key = self.vault.cached(key.patient)
        if patient_key is None or patient_key.unpermute(row.classes) & NAMES_HIDDEN:
            return await self.open_row(caller, row)
        return self._open(caller, row, patient_key)

    async def version(self, caller: Caller, key: Key, version: int) -> Opened | None:
        row = await self.reader.version(caller, key, version)
        return None if row is None else await self.open_row(caller, row)

    async def open_row(self, caller: Caller, row: Row) -> Opened | None:
        """What the second wall lets through of a row that SQL gave to this caller; None when it does not."""
        opened = await self.open_rows(caller, [row])
        return opened[0] if opened else None

    async def open_rows(self, caller: Caller, found: Sequence[Row]) -> list[Opened]:
        """The same for many, in order; those not let through, or erased meanwhile, are left out."""
        keys = await self.reader.keys(found)
        opened: list[Opened] = []
        naming: list[int] = []
        walls: dict[tuple[int, ...], tuple[bool, int]] = {}
        for row in found:
            (patient, kind, _), _, _, deleted, classes, author, service, addressee, _, grants = row
            key = keys.get(patient)
            if key is None:
                continue
            # All that the wall goes by: rows of one record are mostly alike in it, and it is asked once for all of them.
            # Equal grants of two tuples are asked about twice; one tuple is one as long as its row is here.
            alike = (patient, kind, classes, author, service, addressee, id(grants))
            verdict = walls.get(alike)
            if verdict is None:
                plain = key.unpermute(classes)
                verdict = walls[alike] = (self._lets(caller, row, key), plain & NAMES_HIDDEN)
            lets, marked = verdict
            if lets:
                if marked and not deleted:
                    naming.append(len(opened))
                opened.append(self._opened(caller, row, key))
        if naming:
            shown = await self._withheld(caller, [opened[place] for place in naming], keys)
            for place, one in zip(naming, shown, strict=True):
                opened[place] = one
        return opened

    async def _withheld(self, caller: Caller, opened: Sequence[Opened], keys: Mapping[int, PatientKey]) -> list[Opened]:
        """Each without what it names of its own record that this caller does not see, and may not know of; and of other
        records, without all that they do not see."""
        trees = [read(one.body) for one in opened]
        named = [self._of_records(tree, one.row.key) for tree, one in zip(trees, opened, strict=True)]
        asked = list({key for some in named for key in some})
        rows = await asyncio.gather(*(self.reader.read(caller, key) for key in asked))
        keys = {**keys, **await self.reader.keys([row for row in rows if row is not None])}
        unseen = {
            key
            for key, row in zip(asked, rows, strict=True)
            if row is None or key.patient not in keys or not self._lets(caller, row, keys[key.patient])
        }
        own = {one.row.key.patient for one in opened}
        classes = await self.reader.classes([key for key in unseen if key.patient in own])
        hidden = {key for key, one in classes.items() if self.filter.hides(keys[key.patient].unpermute(one))}
        found = []
        for one, tree, some in zip(opened, trees, named, strict=True):
            gone = frozenset(
                name
                for key, names in some.items()
                if key in hidden or (key in unseen and key.patient != one.row.key.patient)
                for name in names
            )
            found.append(Opened(one.row, dump(without(tree, gone)), one.body, gone) if gone else one)
        return found

    def _of_records(self, tree: Tree, own: Key) -> dict[Key, set[str]]:
        """The other items of its record, and of others, that a resource names, each with the ways in which it does."""
        found: dict[Key, set[str]] = {}
        for name in named_in(tree):
            type_, _, id_ = name.partition("/")
            key = self.key(type_, id_) if type_ in RESOURCE_TYPES else None
            if key is not None and key.patient != 0 and key != own:
                found.setdefault(key, set()).add(name)
        return found

    def _lets(self, caller: Caller, row: Row, key: PatientKey) -> bool:
        return self.filter.second_wall(caller, row, key.unpermute(row.classes)) and not self._is_own(caller, row, key)

    def _is_own(self, caller: Caller, row: Row, key: PatientKey) -> bool:
        kinds, author = self.filter.besides_own(caller)
        return (
            author is not None and row.key.kind in kinds and row.author == rows.owner_token(key, self.reference(author))
        )

    def _open(self, caller: Caller, row: Row, key: PatientKey) -> Opened | None:
        return self._opened(caller, row, key) if self._lets(caller, row, key) else None

    def _opened(self, caller: Caller, row: Row, key: PatientKey) -> Opened:
        try:
            opened = make(Opened, (row, rows.open_(key, row), b"", _NOTHING_HIDDEN))
        except NotAuthentic:
            log.error("record_not_authentic", patient=row.key.patient, kind=row.key.kind, version=row.version)
            raise Unavailable("A stored record did not pass its integrity check. Nothing was disclosed.") from None
        if row.key.kind in self.filter.abridged(caller) and not row.deleted:
            return Opened(row, dump(abridged(read(opened.body))), opened.body)
        return opened

    # ---- writing ---------------------------------------------------------------------------------------------------

    async def write(
        self, connection: asyncpg.Connection, caller: Caller, changes: Sequence[Change], related: Mapping[str, Tree]
    ) -> None:
        """classify, before_write, rows, after_write: inside the transaction open on `connection`.

        Raises Conflict when a version to be superseded is no longer the current one.
        """
        unit = Unit(caller, list(changes), related)
        await self._write(connection, [unit])
        if unit.refusal is not None:
            raise unit.refusal

    async def _write(self, connection: asyncpg.Connection, units: Sequence[Unit], held: Container[int] = ()) -> None:
        """The same for several units; those that are refused are left out. `held`: see writer.apply."""
        adding = await self.parameters.hold(connection, [change for unit in units for change in unit.changes])
        for unit in units:
            for change in unit.changes:
                if change.tree is not None:
                    change.labels = self.hooks.classify(change, unit.related)
        await self.hooks.before_write(connection, units)
        written = [unit for unit in units if unit.refusal is None]
        if written:
            changes = [change for unit in written for change in unit.changes]
            await writer.apply(connection, self.vault, changes, self._index, self.parameters, held)
            if adding:
                await self.parameters.take(connection, changes)
            await self.hooks.after_write(connection, written)

    async def lock(
        self,
        connection: asyncpg.Connection,
        tokens: Iterable[bytes],
        shared: Iterable[bytes] = (),
        made: Container[bytes] = (),
    ) -> None:
        """Locks these identity tokens until the transaction ends, `shared` together with others who share them. Waits for
        whoever has them. `made` were given to `make_shareable` before the transaction: many of them cost one statement."""
        await locks.lock(connection, tokens, shared, made)

    async def make_shareable(self, tokens: Iterable[bytes]) -> None:
        """Before a transaction that shares many tokens; see `lock`."""
        with faults.reported():
            async with self.database.writing.acquire() as connection:
                await locks.make(connection, tokens)

    async def hold(self, connection: asyncpg.Connection, keys: Iterable[Key]) -> dict[Key, int]:
        """The current versions of these resources, which nobody else changes until the transaction ends. Waits for whoever
        does; call it once for all of them, after `lock`."""
        return await locks.hold(connection, keys)

    @asynccontextmanager
    async def alone(self, tokens: Sequence[bytes]) -> AsyncIterator[None]:
        """For what asks first and writes after, in transactions of its own: nobody else is within, in any worker, for
        any of these tokens. Raises Unavailable when others keep it waiting too long."""
        with faults.reported():
            async with self._alone:
                one = await connection(self.database.url)
                try:
                    await locks.wait(one, tokens)
                    yield
                finally:
                    await one.close(timeout=1)

    def lock_tokens(self, tree: Tree) -> list[bytes]:
        """The tokens of the business identifiers of a resource, and of a person's traits."""
        return sorted(token for space, token in identity.tokens(self.vault, tree) if space != identity.INITIALS)

    def lock_token_of(self, type_: str, query: str) -> bytes:
        """The token of a conditional request's criteria: that of its identifier when it has one, else of the query."""
        found = identity.identifier_of(query)
        if found is not None:
            return identity.identifier_token(self.vault, *found)
        return identity.criteria_token(self.vault, type_, query)


def _index_of_search() -> Callable[[str, Tree], Indexed]:
    # Late, because search is written on top of the store.
    from liaison.fhir.search.index import indexed

    return indexed
