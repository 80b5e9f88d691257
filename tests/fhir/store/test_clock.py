"""The database's clock, known without asking: it follows the database and nothing else."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from liaison.fhir.errors import Unavailable
from liaison.fhir.store import clock as module
from liaison.fhir.store.clock import Clock
from liaison.fhir.store.database import Database

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)


async def _noon() -> datetime:
    return NOON


async def test_it_is_the_database_s(database: Database) -> None:
    before = await database.now()
    between = database.clock.now()
    after = await database.now()

    slack = timedelta(milliseconds=50)  # half a round trip, on a machine that may be busy when it was learned
    assert before - slack <= between <= after + slack
    assert database.clock.seconds() == pytest.approx(database.clock.now().timestamp(), abs=1)


async def test_a_jump_of_the_machine_s_clock_does_not_move_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = await Clock.of(_noon)
    monkeypatch.setattr(time, "time", lambda: 0.0)

    assert NOON <= clock.now() < NOON + timedelta(minutes=1)


async def test_it_goes_on_by_itself() -> None:
    clock = await Clock.of(_noon)
    before, real = clock.seconds(), time.monotonic()
    await asyncio.sleep(0.02)

    assert clock.seconds() - before == pytest.approx(time.monotonic() - real, abs=0.01)


async def test_it_follows_when_the_database_s_clock_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what cannot be asked for a while is asked again."""
    monkeypatch.setattr(module, "EVERY", 0.001)
    clock, asked = await Clock.of(_noon), []

    async def ask() -> datetime:
        asked.append(1)
        if len(asked) == 1:
            raise Unavailable("The database is away.")
        return NOON + timedelta(days=1)

    keeping = asyncio.create_task(clock.keep(ask))
    while len(asked) < 3:
        await asyncio.sleep(0.001)
    keeping.cancel()

    assert NOON + timedelta(days=1) <= clock.now() < NOON + timedelta(days=1, minutes=1)


async def test_the_quickest_answer_is_believed() -> None:
    """One that was held up on its way says little of now."""
    asked: list[int] = []
    base = time.monotonic()

    async def ask() -> datetime:
        asked.append(1)
        moment = NOON + timedelta(seconds=time.monotonic() - base)
        if len(asked) != 3:
            await asyncio.sleep(0.2)
        return moment

    clock = await Clock.of(ask)

    assert clock.now() - NOON == pytest.approx(timedelta(seconds=time.monotonic() - base), abs=timedelta(seconds=0.05))


async def test_without_the_database_there_is_none() -> None:
    async def ask() -> datetime:
        raise Unavailable("The database is away.")

    with pytest.raises(Unavailable):
        await Clock.of(ask)
