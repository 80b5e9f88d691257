"""A small territory that lives for a whole run: its people stay, each example has patients and delegates of its own."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvloop

from liaison.auth.access import vocabulary
from liaison.auth.access.purposes import Purpose
from liaison.fhir.store.database import Database

from ...auth.access import territory as access
from . import hand
from .facts import BEGINNING, FOREVER, SECOND
from .law import DELEGATES
from .reference import Person, Software, Territory

# The night of Saturday to Sunday has 23 hours.
BEGINS = datetime(2026, 3, 27, 9, tzinfo=UTC)
LASTS = timedelta(days=5)
_CODES = {
    "gp": "practice", "nurse": "practice", "hospital-doctor": "unit", "specialist": "unit", "home-aide": "service",
    "home-service-manager": "service", "social-worker": "", "coordinator": "", "pharmacist": "", "psychologist": "unit",
    "on-call-doctor": "", "auditor": "",
}  # fmt: skip


@dataclass
class House:
    runner: asyncio.Runner
    territory: Any
    organizations: dict[str, str] = field(default_factory=dict)
    people: dict[str, Any] = field(default_factory=dict)
    law: Territory = field(default_factory=Territory)
    principals: dict[int, str] = field(default_factory=dict)

    def do(self, what: Awaitable[Any]) -> Any:
        async def awaited() -> Any:
            return await what

        return self.runner.run(awaited())

    def name(self, reference: str) -> str:
        self.principals[self.territory.key(reference).res] = reference
        return reference

    async def settle(self) -> None:
        own = self.territory
        hospital = await own.organization("Hôpital")
        self.organizations = {
            "unit": await own.organization("Pneumologie", part_of=hospital),
            "service": await own.organization("Aide à domicile"),
            "practice": await own.organization("Maison de santé"),
            "hospital": hospital,
        }
        self.law.wholes[self.organizations["unit"]] = hospital
        for code, where in _CODES.items():
            one = self.people[code] = await own.person(code, self.organizations.get(where, ""))
            self.law.people.append(
                Person(self.name(one.role), one.practitioner, one.organization, code, BEGINNING, FOREVER)
            )
        for code in sorted(DELEGATES):
            await self._delegate(code)
        client = await own.client(self.organizations["practice"], "gp", Purpose.TREAT)
        self.principals[client.client] = "Device/1"
        self.law.software.append(Software("Device/1", self.organizations["practice"], "gp", "TREAT"))

    async def _delegate(self, code: str) -> None:
        one = await self.territory.person(
            code, acts_for=self.people["gp"].role, period={"start": text(BEGINS), "end": text(BEGINS + LASTS)}
        )
        role = self.name(one.role)
        gp = self.people["gp"].role
        self.law.people.append(Person(role, one.practitioner, "", code, BEGINS, BEGINS + LASTS + SECOND, gp))

    async def restore_delegates(self) -> None:
        """As they were before the steps of another example."""
        acts_for = [{"url": vocabulary.ACTS_FOR, "valueReference": {"reference": self.people["gp"].role}}]
        for one in self.law.people:
            if one.code in DELEGATES:
                period = {"start": text(BEGINS), "end": text(BEGINS + LASTS)}
                await self.territory.change(self.territory.system, one.role, period=period, extension=acts_for)

    def for_example(self) -> Territory:
        return replace(self.law, people=list(self.law.people), wholes=dict(self.law.wholes))

    async def set_clock(self, moment: datetime) -> None:
        """And everyone signs in again."""
        pool = self.territory.database.writing
        await hand.set_to(pool, moment)
        sessions = [self.territory.system.session, *(one.caller.session for one in self.people.values())]
        await pool.execute(
            "update access_session set expires_at = 'infinity' where session = any($1::bigint[])", sessions
        )

    async def forget_questions(self) -> None:
        await self.territory.database.writing.execute("delete from identity_attempt")


def text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


@contextmanager
def opened(postgres: Any, folder: Path) -> Iterator[House]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        name = runner.run(postgres.create())
        url = postgres.url(name)

        async def begin() -> Any:
            await hand.install(url)
            database = await Database.connect(url, check=False)
            await hand.set_to(database.writing, BEGINS)
            place = access.opened(database, folder)
            house = House(runner, await place.__aenter__())
            await house.settle()
            await house.set_clock(BEGINS)
            return house, place, database

        house, place, database = runner.run(begin())
        try:
            yield house
        finally:

            async def end() -> None:
                await place.__aexit__(None, None, None)
                await database.close()
                await postgres.drop(name)

            runner.run(end())
