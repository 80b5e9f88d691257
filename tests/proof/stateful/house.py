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
from liaison.auth.sessions import NoLongerHeld
from liaison.fhir.store.database import Database

from ...auth.access import territory as access
from . import hand
from .facts import BEGINNING, FOREVER, SECOND
from .law import DELEGATES, DOCTORS, PURPOSES
from .reference import Person, Software, Territory

# The night of Saturday to Sunday has 23 hours.
BEGINS = datetime(2026, 3, 27, 9, tzinfo=UTC)
LASTS = timedelta(days=5)
_CODES = {
    "gp": "practice", "nurse": "practice", "hospital-doctor": "unit", "specialist": "unit", "home-aide": "service",
    "home-service-manager": "service", "social-worker": "", "coordinator": "", "pharmacist": "", "psychologist": "unit",
    "on-call-doctor": "", "auditor": "hospital", "call-handler": "platform", "regulating-doctor": "platform",
}  # fmt: skip
_ELSEWHERE = {"gp": ("specialist", "unit"), "social-worker": ("coordinator", "service")}
"""Who has one more role, elsewhere."""
_URGENT = [*DOCTORS.split(), "nurse"]


@dataclass
class House:
    runner: asyncio.Runner
    territory: Any
    organizations: dict[str, str] = field(default_factory=dict)
    people: dict[str, Any] = field(default_factory=dict)
    law: Territory = field(default_factory=Territory)
    principals: dict[int, str] = field(default_factory=dict)
    sessions: dict[tuple[str, str], int] = field(default_factory=dict)
    aside: set[str] = field(default_factory=set)

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
            "platform": await own.organization("Plateforme"),
            "hospital": hospital,
        }
        self.law.wholes[self.organizations["unit"]] = hospital
        for code, where in _CODES.items():
            self.people[code] = await self._in_role(code, await own.person(code, self.organizations.get(where, "")))
        for first, (code, where) in _ELSEWHERE.items():
            holder, at = self.people[first].practitioner, self.organizations[where]
            self.people[f"{code} too"] = await self._in_role(code, await own.role_of(holder, code, at))
        for code in sorted(DELEGATES):
            await self._delegate(code)
        client = await own.client(self.organizations["practice"], "gp", Purpose.TREAT)
        self.principals[client.client] = "Device/1"
        self.law.software.append(Software("Device/1", self.organizations["practice"], "gp", "TREAT"))
        await self.open_session("Device/1", "TREAT", [client.client])

    async def _in_role(self, code: str, one: Any) -> Any:
        self.law.people.append(
            Person(self.name(one.role), one.practitioner, one.organization, code, BEGINNING, FOREVER)
        )
        await self._sessions_of(one)
        return one

    async def _sessions_of(self, one: Any) -> None:
        numbers = [self.territory.key(name).res for name in (one.practitioner, one.role)]
        for purpose in (PURPOSES[one.code], *(["ETREAT"] if one.code in _URGENT else [])):
            await self.open_session(one.role, purpose, numbers)

    async def open_session(self, who: str, purpose: str, principals: list[int]) -> None:
        """One that nothing ends: what it sees is a matter of grants alone."""
        number = self.sessions[who, purpose] = 10**6 + len(self.sessions)
        await self.territory.database.writing.execute(
            "insert into access_session (session, principals, purpose, role_code, expires_at)"
            " values ($1, $2, $3, '', 'infinity')",
            number, principals, int(Purpose[purpose]),
        )  # fmt: skip

    async def _delegate(self, code: str) -> None:
        one = await self.territory.person(
            code, acts_for=self.people["gp"].role, period={"start": text(BEGINS), "end": text(BEGINS + LASTS)}
        )
        role = self.name(one.role)
        await self._sessions_of(one)
        gp = self.people["gp"].role
        self.law.people.append(Person(role, one.practitioner, "", code, BEGINS, BEGINS + LASTS + SECOND, gp))

    async def restore_directory(self) -> None:
        """As it was before the steps of another example."""
        for reference in sorted(self.aside):
            await self.put_aside(reference, back=True)
        acts_for = [{"url": vocabulary.ACTS_FOR, "valueReference": {"reference": self.people["gp"].role}}]
        for one in self.law.people:
            if one.code in DELEGATES:
                period = {"start": text(BEGINS), "end": text(BEGINS + LASTS)}
                await self.territory.change(self.territory.system, one.role, period=period, extension=acts_for)

    async def put_aside(self, reference: str, *, back: bool) -> None:
        (self.aside.discard if back else self.aside.add)(reference)
        answer = await self.territory.change(self.territory.system, reference, active=back)
        assert answer.status == 200, answer.body

    def for_example(self) -> Territory:
        return replace(self.law, people=list(self.law.people), wholes=dict(self.law.wholes), aside=set())

    async def set_clock(self, moment: datetime) -> None:
        await hand.set_to(self.territory.database.writing, moment)
        await self.territory.database.writing.execute(
            "update access_session set expires_at = 'infinity' where session = $1", self.territory.system.session
        )

    async def signed_in(self, code: str) -> Any:
        """A session of now; None while the directory has the person aside."""
        try:
            return await self.territory.sign_in(self.people[code])
        except NoLongerHeld:
            return None

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
            try:
                await house.settle()
                await house.set_clock(BEGINS)
            except BaseException:
                await place.__aexit__(None, None, None)
                await database.close()
                raise
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
