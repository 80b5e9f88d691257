"""The connections kept for searches: a statement planned for its own arguments leaves the others their plans."""

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
