"""The search parameters that a territory has added: what this process knows of them, and how one comes, changes and goes.

They come and go with their SearchParameter, in its transaction. A writer makes index rows for the parameters that it
knows; its insert compares their revision with the base's (`GUARD`), and where it has missed one it makes its rows again.
That holds because the revision changes under a lock of the version tables: who is writing ends before, and who comes
after reads the new one, for PostgreSQL locks a table before it takes the snapshot of a statement. So once a parameter is
there, everything written is indexed by it, and what was there before is indexed by liaison.fhir.store.filling.

Readers know a change after a second at the latest, and at once when they search by what was changed.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import asyncpg

from liaison.fhir.definitions import FIRST_ADDED, LAST_ADDED, NONE_ADDED, RESOURCE_TYPES, Custom, SearchParameter, is_of
from liaison.fhir.definitions import kind_of as number_of
from liaison.fhir.definitions.added import definition_of, is_active
from liaison.fhir.errors import Unavailable, Unprocessable
from liaison.fhir.model import read
from liaison.fhir.store.contract import Change, Key, Tree
from liaison.fhir.store.database import Database
from liaison.fhir.store.rows import bound_to
from liaison.fhir.vault import Vault

TYPE: Final = "SearchParameter"
FRESH_SECONDS: Final = 1.0
WAIT_SECONDS: Final = 10

WAITING, READY, ENDED = 0, 1, 2
"""What is stored is being indexed; one can search by it; its rows are to be removed."""

KEPT: Final = timedelta(minutes=10)
"""A search may have begun just before its parameter ended; its rows stay for so long."""

GUARD: Final = "select revision from search_revision where revision = {revision}::bigint"
"""A row if a writer knows the parameters of this moment, none otherwise."""

_REVISION: Final = "select revision from search_revision"
_ALL: Final = """
    select r.revision, p.number, p.res, p.version, p.state, p.since, v.sealed
    from search_revision r
    left join search_parameter p on p.state <= $2
    left join directory_version v on v.patient = 0 and v.kind = $1 and v.res = p.res and v.version = p.version
    order by p.number
"""
# Never a number that there was before, not even in a transaction that was undone.
_RAISE: Final = """
    update search_revision set revision = greatest(revision + 1, (extract(epoch from clock_timestamp()) * 1000000)::bigint)
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """One added parameter as the base has it."""

    definition: SearchParameter
    res: int
    state: int
    since: datetime

    @property
    def types(self) -> frozenset[str]:
        return types_of(self.definition)


def types_of(definition: SearchParameter) -> frozenset[str]:
    """The types of resources of which it is a parameter."""
    return frozenset(one for one in RESOURCE_TYPES if is_of(definition, one))


class Parameters:
    """`known` is what this process read last. A set never changes: one that was read anew takes its place."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()
        self.known = NONE_ADDED

    async def current(self) -> Custom:
        """The parameters of at most a second ago. Raises Unavailable."""
        if self._stale():
            async with self._reading:  # whoever waited here was spared the question
                if self._stale():
                    await self.refreshed()
        return self.known

    def _stale(self) -> bool:
        return time.monotonic() - self._read_at >= FRESH_SECONDS

    async def refreshed(self) -> Custom:
        """The parameters of this moment. Raises Unavailable."""
        begun = time.monotonic()
        [[revision]] = await self._database.fetch(_REVISION)
        if revision != self.known.revision:
            self._take(*_read(await self._database.fetch(_ALL, number_of(TYPE), READY), self._vault))
        self._read_at = begun
        return self.known

    async def refreshed_within(self, connection: asyncpg.Connection) -> Custom:
        """The same, as this transaction sees them."""
        self._take(*await self.loaded(connection))
        return self.known

    async def loaded(self, connection: asyncpg.Connection, upto: int = READY) -> tuple[int, list[Kept]]:
        """The revision, and all parameters up to this state."""
        return _read(await connection.fetch(_ALL, number_of(TYPE), upto), self._vault)

    def _take(self, revision: int, kept: Sequence[Kept]) -> None:
        if revision < self.known.revision:
            return  # another task has read a later one meanwhile
        self.known = Custom(
            revision,
            tuple(one.definition for one in kept if one.state == READY),
            tuple(one.definition for one in kept if one.state == WAITING),
            {one.definition.number: one.since for one in kept if one.state == READY},
        )

    # ---- in the transaction of their SearchParameters --------------------------------------------------------------

    async def hold(self, connection: asyncpg.Connection, changes: Iterable[Change]) -> bool:
        """Before anything is written: keeps all other writers away until the transaction ends, if these changes may add
        or end a parameter; whether they may. Raises Unavailable when a writer takes too long."""
        mine = [one for one in changes if one.type_ == TYPE]
        if not any(one.interaction != "create" or is_active(one.tree) for one in mine):
            return False
        await connection.execute(f"set local lock_timeout = '{WAIT_SECONDS}s'")
        try:
            await connection.execute("lock table version, directory_version in share row exclusive mode")
        except asyncpg.LockNotAvailableError:
            raise Unavailable("A long write is under way. Try again when it has ended.") from None
        await connection.execute("set local lock_timeout = 0")
        return True

    async def take(self, connection: asyncpg.Connection, changes: Iterable[Change]) -> None:
        """What these changes, just written, mean: parameters that begin, go on under a new text, or end.

        Raises Unprocessable when two would have one code for one type.
        """
        _, kept = await self.loaded(connection)
        by_res = {one.res: one for one in kept}
        begun: list[SearchParameter] = []
        for change in changes:
            if change.type_ != TYPE:
                continue
            old = by_res.pop(change.key.res, None)
            new = definition_of(change.tree, 0) if change.tree is not None and is_active(change.tree) else None
            if old is not None and new is not None and _same(old.definition, new):
                await connection.execute(
                    "update search_parameter set version = $2 where number = $1", old.definition.number, change.version
                )
                by_res[change.key.res] = old
                continue
            if old is not None:
                await connection.execute(
                    "update search_parameter set state = $2, since = now() where number = $1",
                    old.definition.number,
                    ENDED,
                )
            if new is not None:
                await self._begin(connection, change.key, change.version)
                begun.append(new)
        _refuse_doubles(begun, [one.definition for one in by_res.values()])
        await connection.execute(_RAISE)

    async def _begin(self, connection: asyncpg.Connection, key: Key, version: int) -> None:
        number = await connection.fetchval(
            "select n from generate_series($1::int, $2::int) n"
            " where not exists (select from search_parameter p where p.number = n) order by n limit 1",
            FIRST_ADDED,
            LAST_ADDED,
        )
        if number is None:
            raise Unprocessable("No more search parameters can be added.")
        await connection.execute(
            "insert into search_parameter (number, res, version, state) values ($1, $2, $3, $4)",
            number,
            key.res,
            version,
            WAITING,
        )


async def ready(connection: asyncpg.Connection, number: int) -> None:
    """From now on one can search by it."""
    done = await connection.execute(
        "update search_parameter set state = $2, since = clock_timestamp(), family = null, after_patient = null,"
        " after_kind = null, after_res = null where number = $1 and state = $3",
        number,
        READY,
        WAITING,
    )
    if done != "UPDATE 0":
        await connection.execute(_RAISE)


def _read(records: Sequence[Mapping[str, Any]], vault: Vault) -> tuple[int, list[Kept]]:
    kept = []
    for one in records:
        if one["number"] is not None:
            key = Key(0, number_of(TYPE), one["res"])
            tree: Tree = read(vault.territory.open(bound_to(key, one["version"]), one["sealed"]))
            kept.append(Kept(definition_of(tree, one["number"]), one["res"], one["state"], one["since"]))
    return (records[0]["revision"] if records else 0), kept


def _same(one: SearchParameter, other: SearchParameter) -> bool:
    """Whether the two mean the same of every resource and every search."""
    return _meaning(one) == _meaning(other)


def _meaning(one: SearchParameter) -> tuple[Any, ...]:
    return one.code, one.type, one.base, one.expression, one.target, one.components, one.url, one.allowed


def _refuse_doubles(begun: Sequence[SearchParameter], others: Sequence[SearchParameter]) -> None:
    for place, new in enumerate(begun):
        for other in (*others, *begun[:place]):
            if other.code == new.code and (both := types_of(other) & types_of(new)):
                raise Unprocessable(
                    f"'{new.code}' is a search parameter of {min(both)} already, defined by {other.url[:200]}. Retire that "
                    "one first, or choose another code.",
                    "SearchParameter.code",
                )
            if other.url == new.url:
                raise Unprocessable(
                    f"A search parameter with the url {new.url[:200]} is active already.", "SearchParameter.url"
                )
