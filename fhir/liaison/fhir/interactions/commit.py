"""Writing: from what was sent to rows, in one database transaction whatever the number of resources.

Locks first, then the searches of conditional requests (so that two equal ones never both create), then the resources to
be changed, for whose current version writers queue (R4: without If-Match the last one wins), then references, owners,
content, rights, rows. What loses against another transaction all the same runs again, a bounded number of times.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import asyncpg

from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import Conflict, FhirError, Gone, NotFound
from liaison.fhir.interactions import content, etag, owners, patching, scope
from liaison.fhir.interactions.identities import refuse_overlaps
from liaison.fhir.interactions.lenience import Lenience
from liaison.fhir.interactions.resolve import Resolver
from liaison.fhir.interactions.writes import Write
from liaison.fhir.model import dump, read
from liaison.fhir.model.subset import untagged
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Caller, Change, Key, Unit
from liaison.fhir.store.faults import RETRIED, reported
from liaison.fhir.store.horizon import TAKE

TRIES: Final = 6
BREATH: Final = 100
"""Resources between two turns of the event loop: others are served meanwhile."""

AGAIN: Final[tuple[type[Exception], ...]] = (*RETRIED, Conflict)
_PATIENT: Final = kind_of("Patient")


_MEANWHILE: Final = "The resource was changed meanwhile."

Also = Callable[[asyncpg.Connection], Awaitable[None]]
"""Something that stands or falls with the writes, in their transaction."""


@dataclass(slots=True)
class Needs:
    """What a unit of writes was found to need: the identities, and the resources that it changes. Grows with each attempt,
    and the next one begins by holding all of it.

    `shared` are identities of an import's new resources: who asks whether there is one waits for it, and it for them, but
    nobody waits who only makes one as well. Those of a Patient are never among them.
    """

    shared: frozenset[bytes] = frozenset()
    tokens: set[bytes] = field(default_factory=set)
    keys: set[Key] = field(default_factory=set)

    def add(self, tokens: Iterable[bytes]) -> None:
        self.tokens.update(token for token in tokens if token not in self.shared)


async def commit(
    store: Store,
    caller: Caller,
    writes: list[Write],
    base_url: str,
    *,
    lenience: Lenience | None = None,
    also: Also | None = None,
) -> None:
    """All of the writes, or none and an error that names the entry. Fills key, change and existing of each; after an error,
    references are as they were sent, and may be sent again.

    With lenience (an import), what cannot be stored is taken out of `writes` instead.
    """
    resolver = Resolver(store, caller, writes, base_url, lenience)
    try:
        await _commit(store, caller, writes, resolver, also)
    except FhirError as error:
        error.consulted, error.singled = tuple(resolver.consulted), frozenset(resolver.singled)
        resolver.restore()
        raise
    for write in writes if resolver.consulted or resolver.singled else ():
        write.consulted, write.singled = resolver.consulted_by(write), resolver.singled_by(write)


async def _commit(store: Store, caller: Caller, writes: list[Write], resolver: Resolver, also: Also | None) -> None:
    if not resolver.lenient and also is None and _may_share(store, writes):
        if await _share(store, caller, writes[0], resolver):
            return
        resolver.restore()
        writes[0].reset()
    now = store.database.clock.now()
    if store.vault.due(now) and any(write.type_ == "Patient" for write in writes):
        # Before the transaction: the shelf of a new month outlives the write that was the first to need it.
        with reported():
            async with store.database.writing.acquire() as connection:
                await store.vault.turn(connection, now)
    needs = Needs(await _shared(store, writes) if resolver.lenient else frozenset())
    for attempt in range(TRIES):
        try:
            with reported():
                async with store.database.writing.acquire() as connection, connection.transaction():
                    await _once(store, caller, writes, resolver, connection, needs)
                    if also is not None:
                        await also(connection)
                    return
        except AGAIN:
            if attempt == TRIES - 1:
                raise
            await asyncio.sleep(0.005 * 2**attempt)
            resolver.restore()
            writes[:] = [write for write in writes if not write.added]
            for write in writes:
                write.reset()


def _may_share(store: Store, writes: Sequence[Write]) -> bool:
    """A plain create that takes no lock and has no one to wait for."""
    if len(writes) != 1 or writes[0].interaction != "create" or writes[0].none_exist:
        return False
    tree = writes[0].tree
    return tree is not None and writes[0].type_ not in store.hooks.alone and not store.lock_tokens(tree)


async def _share(store: Store, caller: Caller, write: Write, resolver: Resolver) -> bool:
    """Writes it in one transaction with others that come at the same time. False: it has to be done by itself."""
    await resolver.resolve()
    if refused := owners.assign([write], resolver.resolved, resolver.texts_of):
        raise refused[0][1]
    if not write.patient:
        return False

    def prepare(at: datetime) -> Unit:
        change = _change(store, write, resolver, at)
        return Unit(caller, [change], resolver.related())

    return await store.shared.write(write.patient, prepare)


async def _once(
    store: Store,
    caller: Caller,
    writes: list[Write],
    resolver: Resolver,
    connection: asyncpg.Connection,
    needs: Needs,
) -> None:
    await _load(store, caller, writes, resolver)
    patching.apply(caller, writes, resolver)
    await _lock(store, connection, writes, resolver, needs)
    await resolver.match_conditional_writes()
    matching = [write for write in writes if write.matching or write.added]
    await _load(store, caller, matching, resolver)
    patching.apply(caller, matching, resolver)
    await _hold(store, caller, connection, writes, resolver, needs)
    patching.keep_hidden(writes)
    if not resolver.lenient:
        _refuse_doubles(writes)
    _name_patients(store, writes)
    await resolver.resolve()
    while refused := owners.assign(writes, resolver.resolved, resolver.texts_of):
        resolver.leave_out(refused)
        await resolver.resolve()
    _check_owners(writes, resolver)
    at = await connection.fetchval(TAKE)
    changes = []
    for number, write in enumerate(writes):
        if not write.existing and not write.void:
            changes.append(_change(store, write, resolver, at))
        if number % BREATH == 0:
            await asyncio.sleep(0)
    if not resolver.lenient:
        await refuse_overlaps(writes, resolver.base_url, store.database.clock.now())
    if changes:
        await store.write(connection, caller, changes, resolver.related())


async def _load(store: Store, caller: Caller, writes: Sequence[Write], resolver: Resolver) -> None:
    """The visible current version of what is updated or deleted, and If-Match against it."""
    asked = [write for write in writes if write.interaction != "create" and write.id_]
    loaded = await asyncio.gather(*(_load_one(store, caller, write) for write in asked), return_exceptions=True)
    refused: list[tuple[Write, FhirError]] = []
    for write, error in zip(asked, loaded, strict=True):
        if isinstance(error, FhirError):
            refused.append((write, write.problem(error)))
        elif error is not None:
            raise error
    if refused:
        resolver.leave_out(refused)


async def _load_one(store: Store, caller: Caller, write: Write) -> None:
    key = store.key(write.type_, write.id_)
    found = None if key is None else await store.read(caller, key)
    if key is None or found is None:
        raise NotFound
    if found.row.deleted and write.interaction == "delete":  # R4 http.html#delete: done already, and no error
        if not await scope.shows_version(store, caller, write.type_, found, "d"):
            raise NotFound
        etag.require_match(write.headers, found.row.version)
        write.void = True
        return
    if found.row.deleted:
        if write.matching or write.added:  # since its criteria were searched: they match something else now, or nothing
            raise Conflict(_MEANWHILE)
        raise Gone("The resource was deleted.")
    write.before = read(found.stored)
    shown = untagged(read(found.body)) if found.is_cut else write.before  # criteria ask about nothing else
    scope.require_visible(caller, "d" if write.interaction == "delete" else "u", write.type_, shown)
    if write.patch is not None:  # what a patch answers, or refuses, depends on what was there
        scope.require_visible(caller, "r", write.type_, shown)
        patching.require_named(found)
    etag.require_match(write.headers, found.row.version)
    etag.require_none_match(write.headers, found.row.version)
    write.key, write.patient, write.before_row, write.hidden = key, key.patient, found.row, found.hidden


async def _lock(
    store: Store, connection: asyncpg.Connection, writes: Sequence[Write], resolver: Resolver, needs: Needs
) -> None:
    asked = resolver.locks()
    needs.add(_tokens(store, writes))
    needs.tokens.update(*(one.own for one in asked))
    shared = needs.shared.union(*(one.shared for one in asked))
    if needs.tokens or shared:
        await store.lock(connection, needs.tokens, shared, needs.shared)
    if needs.keys:
        await store.hold(connection, needs.keys)


async def _hold(
    store: Store,
    caller: Caller,
    connection: asyncpg.Connection,
    writes: Sequence[Write],
    resolver: Resolver,
    needs: Needs,
) -> None:
    """From here on nobody else changes what is changed here. What others did change since it was read is read again.

    Raises Conflict when that shows that more was to be held, or that criteria have to be searched again.
    """
    standing = {write.key: write for write in writes if write.key is not None and write.before_row is not None}
    if not standing:
        return
    late = bool(needs.keys) and not needs.keys.issuperset(standing)
    needs.keys.update(standing)
    if late:
        raise Conflict(_MEANWHILE)
    versions = await store.hold(connection, standing)
    moved = [one for key, one in standing.items() if one.before_row and versions.get(key) != one.before_row.version]
    if any(write.matching or write.added for write in moved):
        raise Conflict(_MEANWHILE)
    for write in moved:
        write.reset()
    await _load(store, caller, moved, resolver)
    patching.apply(caller, moved, resolver)
    if moved or any(write.matching or write.added for write in standing.values()):
        known = len(needs.tokens)
        needs.add(_tokens(store, standing.values()))
        if len(needs.tokens) != known:
            raise Conflict(_MEANWHILE)


async def _shared(store: Store, writes: Sequence[Write]) -> frozenset[bytes]:
    """The identities that these writes share with whoever makes them too, ready to be locked."""
    people = _tokens(store, (write for write in writes if write.type_ == "Patient"))
    shared = _tokens(store, (write for write in writes if write.type_ != "Patient")) - people
    if shared:
        await store.make_shareable(shared)
    return frozenset(shared)


def _tokens(store: Store, writes: Iterable[Write]) -> set[bytes]:
    """The identities that these writes add or take away, and those that they leave."""
    trees = (tree for write in writes for tree in (write.tree, write.before) if tree is not None)
    return {token for tree in trees for token in store.lock_tokens(tree)}


def _refuse_doubles(writes: Sequence[Write]) -> None:
    """R4 http.html#trules: no two entries are about one resource, neither by its id nor by what they match."""
    seen: dict[Key, Write] = {}
    for write in writes:
        if write.key is not None and (first := seen.setdefault(write.key, write)) is not write:
            raise first.doubled(write)


def _name_patients(store: Store, writes: Sequence[Write]) -> None:
    for write in writes:
        if write.interaction == "create" and write.type_ == "Patient" and write.key is None:
            write.patient = store.new_patient()


def _check_owners(writes: Sequence[Write], resolver: Resolver) -> None:
    """An update may not carry a resource over to another patient: nobody's rights were asked for that."""
    for write in writes:
        if write.interaction == "update":
            owners.require_same(write, resolver.resolved)


def _change(store: Store, write: Write, resolver: Resolver, at: datetime) -> Change:
    assert write.patient is not None
    if write.key is None:
        write.key = store.new_key(write.patient, kind_of(write.type_))
    version = 1 if write.before_row is None else write.before_row.version + 1
    tree = None
    if write.tree is not None:
        resolver.rewrite(write)
        tree = content.stamped(write.tree, store.id(write.key), version, at.astimezone(UTC))
    write.change = Change(
        write.interaction,
        write.key,
        write.type_,
        version,
        tree,
        write.before,
        write.before_row,
        new_patient=write.interaction == "create" and write.type_ == "Patient",
        body=b"" if tree is None else dump(tree),
        at=at,
    )
    return write.change
