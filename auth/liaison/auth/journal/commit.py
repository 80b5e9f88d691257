"""Durable before disclosed: entries leave in groups, the next group when the previous one is on disk.

No timers: alone, a request waits for one commit of its own. In company a group waits for the readings under way
(`gathers`), whose answers ask for entries too, so that one commit serves both. Each group is one COPY on a connection kept
for it. Every process has a chain (a random worker number, a sequence, the leaf hash of the entry before), so that an entry removed
before the integrator has seen it leaves a hole that verify finds.

Entries of a write are inserted by the write's own transaction, which may abort after them: they are no link of the
chain. When PostgreSQL has decided the transaction (pg_xact_status, which an altered table cannot change), a LINK entry
in the chain names the leaf of each that was committed, and each number that was not. docs/implementation/journal.md
has the reasoning, and what is not covered.
"""

import asyncio
import contextlib
import os
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, Self

import asyncpg

from liaison.auth.journal.entry import Entry, Event
from liaison.auth.journal.refused_calls import RefusedCalls
from liaison.auth.journal.sealing import COLUMNS, GENESIS, Keys, Record, body, seal, worker_key
from liaison.fhir.errors import Unavailable
from liaison.fhir.store.clock import Clock
from liaison.fhir.store.contract import Request
from liaison.fhir.store.database import Connect, Database, connection

MOST: Final = 1024
"""Entries in one group: above it a waiter's delay grows without any gain in throughput."""

LINK_AFTER_SECONDS: Final = 0.2
COMMIT_WITHIN_SECONDS: Final = 10.0


class Pending(NamedTuple):
    """Entries inserted by a transaction whose fate is not yet known: (sequence, leaf hash) each."""

    transaction: str
    worker: int
    entries: list[tuple[int, bytes]]


Prepared = tuple[int, int, datetime, int, int, int, bytes]

INSERT: Final = f"""
with written as (
    insert into journal_entry ({", ".join(COLUMNS)})
    select * from unnest($1::int[], $2::bigint[], $3::bigint[], $4::bytea[], $5::smallint[], $6::smallint[],
                         $7::timestamptz[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bytea[])
    returning xmin::text::bigint as own
)
select pg_current_xact_id()::text::bigint as whole, min(own) as own from written
"""
STATUS: Final = "select x, pg_xact_status(x::xid8) from unnest($1::text[]) as x"

_LOST: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, EOFError)


def _own_transaction(whole: int, own: int) -> str:
    """The 64-bit id of the (sub)transaction that inserted: within a savepoint it may abort while the whole commits.

    `own` has 32 bits and was given out at or after `whole`.
    """
    return str(whole + (own - whole) % 2**32)


async def could_write(pool: asyncpg.Pool) -> None:
    """Raises what PostgreSQL says when an entry cannot be written now: one is, and is taken back."""
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(
                f"insert into journal_entry ({', '.join(COLUMNS)}) values (0, 0, $1, '', 0, 0, now(), 0, 0, 0, '')",
                secrets.randbits(62),  # or two that ask at once would wait for each other
            )
        finally:
            await transaction.rollback()


class Journal:
    """Records entries for one process. Open one per process; close it so that its chain ends properly."""

    def __init__(self, connect: Connect, keys: Keys, clock: Clock) -> None:
        self._connect, self._keys, self._clock = connect, keys, clock
        self._connection: asyncpg.Connection | None = None
        self._queue: deque[tuple[list[Prepared], asyncio.Future[None]]] = deque()
        self._draining: asyncio.Task[None] | None = None
        self._gathered: Callable[[], Awaitable[object]] | None = None
        self._pending: list[Pending] = []
        self._link_timer: asyncio.TimerHandle | None = None
        self._minute_timer: asyncio.TimerHandle | None = None
        self._link_due = False
        self._started = self._broken = self._closed = False
        self._on_disk: dict[str, Any] | None = None  # the last entry known to be durable, whatever its chain
        self._refused = RefusedCalls(clock)
        self.worker = self._generation = self._sequence = self._within = 0
        self._previous = GENESIS

    @classmethod
    async def open(cls, database: Database, keys: Keys) -> Self:
        """Starts a chain and returns once its first entry is durable; Unavailable when that cannot be done."""
        journal = cls(lambda: connection(database.url), keys, database.clock)
        await journal._submit([])
        return journal

    def _prepared(self, entries: Sequence[Entry]) -> list[Prepared]:
        at = self._clock.now()  # to the microsecond, as timestamptz keeps it
        return [(one[0], one[1], at, one[2], one[3], one[4], body(one)) for one in entries]

    def gathers(self, back: Callable[[], Awaitable[object]]) -> None:
        """Before a group leaves, `back` is awaited: it returns when what is about to bring entries has brought them, at once
        when nothing is, and soon in any case. It raises nothing."""
        self._gathered = back

    # ---- what callers use -----------------------------------------------------------------------------------------

    async def record(self, entries: Sequence[Entry]) -> None:
        """Returns when every entry is on disk. Raises Unavailable otherwise: then nothing may be disclosed.

        Cancelling the wait does not take the entries back: an aborted download counts as disclosed.
        """
        if entries:
            await self._submit(self._prepared(entries))

    async def recovered(self) -> None:
        """Raises Unavailable while the last group could not be written and no new chain can be begun either: of a full disk an
        entry that is taken back tells nothing."""
        if self._broken:
            await self._submit([])

    async def record_within(self, connection: asyncpg.Connection, entries: Sequence[Entry]) -> None:
        """Writes the entries in the transaction open on `connection`: they stand or fall with it."""
        if not entries:
            return
        if self._broken or self._closed or not self._started:
            await self._submit([])  # Opens a new chain, or says Unavailable.
        sealed = []
        for one in self._prepared(entries):
            self._within -= 1
            place = (self._generation, self.worker, self._within, b"")
            sealed.append(seal(self._key, place, one))
        worker = self.worker
        columns: list[list[Any]] = [list(column) for column in zip(*(record for record, _ in sealed), strict=True)]
        try:
            transaction = _own_transaction(*await connection.fetchrow(INSERT, *columns))
        except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError):
            raise  # The store runs the whole transaction again.
        except _LOST as error:
            raise Unavailable("The access journal cannot be written.") from error
        numbers = [(record.sequence, hashed) for record, hashed in sealed]
        self._pending.append(Pending(transaction, worker, numbers))
        self._link_later()

    async def refused_call(self, request: Request, status: int) -> None:
        """Counts a failed call without a caller; one entry per address and minute follows. Never waits."""
        if self._refused.count(request.address, status):
            delay = self._refused.seconds_left()
            self._minute_timer = asyncio.get_running_loop().call_later(delay, self._minute_over)

    async def close(self) -> None:
        """Binds what is pending and ends the chain. Afterwards the journal refuses."""
        if self._closed:
            return
        for timer in (self._link_timer, self._minute_timer):
            if timer is not None:
                timer.cancel()
        with contextlib.suppress(Unavailable):
            await self.record(self._refused.take())
            self._link_due = bool(self._pending)
            if self._started and not self._broken:
                await self._submit(self._prepared([Entry(Event.CHAIN_END)]))
        self._closed = True
        if self._connection is not None:
            await self._connection.close()

    # ---- groups ---------------------------------------------------------------------------------------------------

    def _submit(self, prepared: list[Prepared]) -> "asyncio.Future[None]":
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        if self._closed:
            done.set_exception(Unavailable("The access journal is closed."))
            return done
        self._queue.append((prepared, done))
        self._wake(loop)
        return done

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._draining is None or self._draining.done():
            # The task starts after this turn of the loop: requests read together from the sockets leave together.
            self._draining = loop.create_task(self._drain())

    async def _drain(self) -> None:
        while self._queue or self._link_due:
            if self._gathered is not None:
                await self._gathered()
            group: list[Prepared] = []
            waiting: list[asyncio.Future[None]] = []
            while self._queue and (not group or len(group) + len(self._queue[0][0]) <= MOST):
                prepared, done = self._queue.popleft()
                group += prepared
                waiting.append(done)
            try:
                async with asyncio.timeout(COMMIT_WITHIN_SECONDS):
                    await self._write(group)
            except Exception as error:  # noqa: BLE001  # whatever it was, every waiter must learn of it
                self._broken = True  # Whether the group is on disk is unknown: its chain ends here.
                self._link_due = False
                self._fail(waiting, error)
                continue
            for done in waiting:
                if not done.done():
                    done.set_result(None)

    def _fail(self, waiting: list["asyncio.Future[None]"], error: Exception) -> None:
        for done in waiting:
            if not done.done():
                refusal = Unavailable("The access journal cannot be written.")
                refusal.__cause__ = error
                done.set_exception(refusal)
        if self._pending:
            self._link_later()

    async def _write(self, group: list[Prepared]) -> None:
        connection = await self._ready()
        await self._keys.turn(connection, self._clock.now())
        if not self._started or self._broken or self._generation != self._keys.generation:
            group = [*self._start_chain(), *group]
        bound: list[Pending] = []
        if self._link_due and self._pending:
            links, bound = await self._links(connection)
            group = [*links, *group]
        self._link_due = False
        if not group:
            return
        records: list[Record] = []
        sequence, previous = self._sequence, self._previous
        for one in group:
            sequence += 1
            record, previous = seal(self._key, (self._generation, self.worker, sequence, previous), one)
            records.append(record)
        try:
            await connection.copy_records_to_table("journal_entry", records=records, columns=COLUMNS)
        except BaseException:
            self._pending += bound
            raise
        self._sequence, self._previous = sequence, previous
        self._on_disk = {"worker": self.worker, "sequence": sequence, "leaf": previous.hex()}
        self._started, self._broken = True, False

    async def _ready(self) -> asyncpg.Connection:
        if self._broken and self._connection is not None:
            self._connection.terminate()
            self._connection = None
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
            await self._connection.execute("set synchronous_commit = on")
        return self._connection

    # ---- the chain ------------------------------------------------------------------------------------------------

    def _start_chain(self) -> list[Prepared]:
        """A new worker number, and the entry that says which chain of this process it continues, up to where."""
        detail: dict[str, Any] = {"process": os.getpid()}
        if self._on_disk is not None:
            detail["after"] = self._on_disk
        self.worker = secrets.randbits(63) or 1
        self._generation = self._keys.generation
        self._key = worker_key(self._keys.key(self._generation), self.worker)
        self._sequence, self._previous, self._within = 0, GENESIS, 0
        return self._prepared([Entry(Event.CHAIN_START, detail=detail)])

    async def _links(self, connection: asyncpg.Connection) -> tuple[list[Prepared], list[Pending]]:
        """The LINK entries that are due, and what they bind, to be put back should they not reach the disk."""
        asked = list(self._pending)  # others may come while PostgreSQL answers
        found = dict(await connection.fetch(STATUS, [one.transaction for one in asked]))
        undecided = [one for one in asked if found[one.transaction] == "in progress"]
        bound = [one for one in asked if found[one.transaction] != "in progress"]
        self._pending = undecided + self._pending[len(asked) :]
        if undecided:
            self._link_later()
        links: dict[int, dict[str, Any]] = {}
        for one in bound:
            link = links.setdefault(one.worker, {"worker": one.worker, "within": [], "void": []})
            if found[one.transaction] == "committed":
                link["within"] += [[sequence, hashed.hex()] for sequence, hashed in one.entries]
            else:
                link["void"] += [sequence for sequence, _ in one.entries]
        return self._prepared([Entry(Event.LINK, detail=link) for link in links.values()]), bound

    def _link_later(self) -> None:
        if self._link_timer is None and not self._closed:
            self._link_timer = asyncio.get_running_loop().call_later(LINK_AFTER_SECONDS, self._link_now)

    def _link_now(self) -> None:
        self._link_timer = None
        self._link_due = True
        self._wake(asyncio.get_running_loop())

    def _minute_over(self) -> None:
        self._minute_timer = None
        entries = self._refused.take()
        if entries and not self._closed:
            # Nobody waits for these: a failure of the journal is told to those who do.
            self._submit(self._prepared(entries)).add_done_callback(lambda done: done.cancelled() or done.exception())
