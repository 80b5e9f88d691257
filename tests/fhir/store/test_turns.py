"""Work that one process at a time does: the next takes over, and a failure is said and followed by another attempt."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import NoReturn

import asyncpg
import pytest
from structlog.testing import capture_logs

from liaison.fhir.errors import Unavailable
from liaison.fhir.store.database import Database, connection
from liaison.fhir.store.turns import take_turns

LOCK = 0x11A1FFF
SOON = 0.01


class Worker:
    """Stands by from the beginning. Each turn that it gets is told; `fails` ends the turn."""

    def __init__(self, database: Database) -> None:
        self._url = database.url
        self.connections: list[asyncpg.Connection] = []
        self.turns = 0
        self.got = asyncio.Event()
        self.fails: asyncio.Future[NoReturn] = asyncio.get_running_loop().create_future()
        self.job = asyncio.create_task(
            take_turns(self.connect, LOCK, self.work, name="essai", stand_by=SOON, again=(Unavailable,))
        )

    async def connect(self) -> asyncpg.Connection:
        self.connections.append(await connection(self._url))
        return self.connections[-1]

    async def work(self, one: asyncpg.Connection) -> NoReturn:
        assert one is self.connections[-1]
        self.turns += 1
        self.got.set()
        await self.fails

    async def turn(self) -> None:
        async with asyncio.timeout(60):
            await self.got.wait()
        self.got.clear()

    def fail(self, error: Exception) -> None:
        failing, self.fails = self.fails, asyncio.get_running_loop().create_future()
        failing.set_exception(error)

    async def end(self) -> None:
        self.job.cancel()
        with contextlib.suppress(asyncio.CancelledError, ZeroDivisionError):
            await self.job


@pytest.fixture
async def worker(database: Database) -> AsyncIterator[Worker]:
    made = Worker(database)
    await made.turn()
    yield made
    await made.end()


async def test_the_other_stands_by_until_the_first_is_stopped(database: Database, worker: Worker) -> None:
    other = Worker(database)
    async with asyncio.timeout(60):
        while not await database.reading.fetchval(
            "select count(*) = 2 from pg_stat_activity where query like 'select pg_try_advisory_lock%'"
        ):
            await asyncio.sleep(SOON)  # the state is the database's: nothing tells of it
    assert (worker.turns, other.turns) == (1, 0)

    await worker.end()
    await other.turn()

    assert worker.connections[0].is_closed()
    await other.end()


@pytest.mark.parametrize(
    "error",
    [asyncpg.AdminShutdownError("ended"), OSError(28, "No space left"), EOFError(), Unavailable("Not now.")],
    ids=["database", "file", "network", "of this work"],
)
async def test_a_failure_is_said_without_its_text_and_it_begins_again(worker: Worker, error: Exception) -> None:
    with capture_logs() as logs:
        worker.fail(error)
        await worker.turn()

    assert [(one["log_level"], one["job"], one["kind"]) for one in logs] == [("warning", "essai", type(error).__name__)]
    assert len(worker.connections) == 2
    assert worker.connections[0].is_closed()


async def test_any_other_error_is_a_bug_and_is_raised(worker: Worker) -> None:
    worker.fail(ZeroDivisionError())

    with pytest.raises(ZeroDivisionError):
        await worker.job
    assert worker.connections[0].is_closed()
