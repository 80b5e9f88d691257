"""What loses against another transaction runs again, and its sender sees nothing of it."""

import asyncio
import json

import pytest

from liaison.auth.access import internal
from liaison.fhir.interactions import commit
from liaison.fhir.store.contract import Request
from liaison.services.house import House


async def loses_once(house: House) -> int:
    """The status of a create that PostgreSQL picked as the victim of a deadlock, its rival being done by then."""
    maker = await internal.open_session(house.database.writing, "sandbox")
    tree = {
        "resourceType": "Organization",
        "name": "Maison",
        "identifier": [{"system": "urn:retry", "value": value} for value in ("one", "two")],
    }
    first, second = house.store.lock_tokens(tree)
    async with house.database.writing.acquire() as rival:
        transaction = rival.transaction()
        await transaction.start()
        await house.store.lock(rival, [second])
        asked = Request("POST", "Organization", "", json.dumps(tree).encode())
        answer = asyncio.create_task(house.engine.handle(maker, asked))
        # It holds the first and waits for the second; now we wait for the first. It began to wait before us, so it is
        # the one that notices, and loses.
        async with house.database.reading.acquire() as watching:
            while not await watching.fetchval("select exists (select from pg_locks where not granted)"):
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)  # half of deadlock_timeout, so that a busy machine keeps that order
        await house.store.lock(rival, [first])
        await transaction.commit()
    return (await answer).status


async def test_a_deadlock_is_invisible(house: House) -> None:
    """medplum#7045: what lost to another transaction was told so, being tried again once and too soon."""
    assert await loses_once(house) == 201
    assert await house.database.reading.fetchval(
        "select deadlocks from pg_stat_database where datname = current_database()"
    )


async def test_without_a_second_attempt_it_would_be_seen(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "TRIES", 1)

    assert await loses_once(house) >= 409
