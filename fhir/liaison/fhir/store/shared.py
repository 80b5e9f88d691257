"""Small writes that wait together share one transaction: one begin, one look at the rights of all, one insert, one commit.

Natural batching (batching.py): alone, a write waits for nobody. Each is decided by itself: one that is refused is left
out and the others go on. A transaction shared never waits for a lock: what would have to is sent back, to be written in
a transaction of its own; and when anything else goes wrong before the commit, all of them are.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import asyncpg

from liaison.fhir.errors import FhirError
from liaison.fhir.store import faults
from liaison.fhir.store.batching import Batcher
from liaison.fhir.store.contract import Unit
from liaison.fhir.store.database import Database, connection
from liaison.fhir.store.horizon import MOMENT
from liaison.fhir.store.reader import PLANNING

MOST: Final = 32
"""Writes in one transaction: more would keep the first of them waiting for no gain."""

# The clock, and the patients that can be held at once: an erasure waits for us, and we wait for nobody.
_BEGIN: Final = f"""
    with {MOMENT}
    select patient, at from patient cross join moment
    where patient = any($1::bigint[]) and wrapped is not null for share of patient skip locked
"""

Prepare = Callable[[datetime], Unit]
"""Makes the unit, of changes that are stamped with the moment given."""

Write = Callable[[asyncpg.Connection, Sequence[Unit], frozenset[int]], Awaitable[None]]


@dataclass(slots=True)
class _Offer:
    patient: int
    prepare: Prepare
    context: Context = field(default_factory=copy_context)


class Shared:
    """One transaction at a time, on a connection of its own that is replaced when it breaks."""

    def __init__(self, database: Database, write: Write) -> None:
        self._database = database
        self._write = write
        self._connection: asyncpg.Connection | None = None
        self._batches: Batcher[_Offer, FhirError | bool] = Batcher(self._run, most=MOST)

    async def write(self, patient: int, prepare: Prepare) -> bool:
        """Whether it is committed. False: nothing of it is stored, write it in a transaction of its own.

        Raises what refuses it; Unavailable when the database was lost in the commit, whose outcome nobody knows then.
        """
        done = await self._batches.put(_Offer(patient, prepare))
        if isinstance(done, FhirError):
            raise done
        return done

    async def close(self) -> None:
        await self._batches.close()
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _run(self, offers: Sequence[_Offer]) -> Sequence[FhirError | bool]:
        committing = False
        units: list[Unit | None] = []
        with faults.reported():
            try:
                one = await self._ready()
                async with one.transaction():
                    units = await self._within(one, offers)
                    committing = True
            except asyncio.CancelledError:
                self._drop()  # a statement may still be running
                raise
            except Exception as error:
                if faults.is_unavailable(error):
                    self._drop()
                if committing:
                    raise
                return [False] * len(offers)
        return [unit is not None and (unit.refusal or True) for unit in units]

    async def _ready(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await connection(self._database.url)
            await self._connection.execute(PLANNING)
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _within(self, one: asyncpg.Connection, offers: Sequence[_Offer]) -> list[Unit | None]:
        """A unit for each offer, or None for those that cannot share."""
        moments: dict[Any, datetime] = dict(await one.fetch(_BEGIN, sorted({offer.patient for offer in offers})))
        units = [_unit(offer, moments.get(offer.patient)) for offer in offers]
        if together := [unit for unit in units if unit is not None]:
            await self._write(one, together, frozenset(moments))
        return units


def _unit(offer: _Offer, at: datetime | None) -> Unit | None:
    if at is None:
        return None
    return offer.context.run(offer.prepare, at)
