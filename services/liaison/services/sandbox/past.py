"""An engine whose journal says that it is another time: how a demonstration shows what happened last night.

Rights are those of now, and the answers real; only the moment in the journal's entries is the one that is given.
"""

import copy
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

from liaison.auth.journal.commit import Journal
from liaison.auth.journal.keys import JournalKeys
from liaison.fhir.store.clock import Clock
from liaison.fhir.store.database import connection
from liaison.services.engine import Engine
from liaison.services.house import House

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


@asynccontextmanager
async def acting_at(house: House, moment: datetime) -> AsyncIterator[Engine]:
    """The engine of this house, its journal's clock going on from `moment`."""

    async def connect() -> Any:
        return await connection(house.database.url)

    keys = await JournalKeys.load(house.database.writing, house.vault)  # of their own: the month may be another
    journal = Journal(connect, keys, Clock((moment - _BEGINNING).total_seconds() - time.monotonic()))
    engine = copy.copy(house.engine)
    engine.journal = journal
    try:
        yield engine
    finally:
        await journal.close()
