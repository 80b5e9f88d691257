"""The connections kept for searches: a statement planned for its own arguments leaves the others their plans."""

import asyncio

import pytest

from liaison.fhir.store.database import Database
from liaison.fhir.store.lanes import Lanes

_MODE = "select current_setting('plan_cache_mode')"


async def test_only_what_asks_for_it_is_planned_for_its_arguments(database: Database) -> None:
    lanes = Lanes(database, lanes=1)
    try:
        assert await lanes.fetch(_MODE) == [("force_generic_plan",)]
        assert await lanes.fetch_planned(_MODE) == [("force_custom_plan",)]
        with pytest.raises(Exception, match="division by zero"):
            await lanes.fetch_planned("select 1 / $1::int", 0)
        assert await lanes.fetch(_MODE) == [("force_generic_plan",)]
    finally:
        await lanes.close()


async def test_what_is_running_when_they_are_closed_is_waited_for_and_its_connection_ended(database: Database) -> None:
    """A request that is refused may leave a reading beside it running."""
    lanes = Lanes(database, lanes=1)
    query = "select pid, pg_sleep(0.5) from pg_stat_activity where pid = pg_backend_pid()"
    running = asyncio.create_task(lanes.fetch(query))
    await asyncio.sleep(0)

    await lanes.close()

    assert running.done()
    [[process, _]] = running.result()
    while await database.reading.fetchval("select count(*) from pg_stat_activity where pid = $1", process):
        await asyncio.sleep(0.01)
