"""A right ends exactly at its instant by the database's clock, and begins exactly at its own: one microsecond before, and at
it, by a read and by a search.

The instants are worked out here by hand from what each fact says (domain notes §2.5 and its notes), not by the engine.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from liaison.auth import sessions
from liaison.auth.access import decide as deciding
from liaison.auth.access import grants
from liaison.auth.access.rebuild import rebuild
from liaison.fhir.store.database import Database

from ...auth.access import arrivals, calling
from ...auth.access import territory as access
from ...auth.access.territory import Territory, actor, consent, item, member, team
from ..stateful import hand

NOW = datetime(2026, 3, 27, 9, tzinfo=UTC)
MICRO, SECOND, HOUR, DAY = timedelta(microseconds=1), timedelta(seconds=1), timedelta(hours=1), timedelta(hours=24)


@pytest.fixture
async def territory(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Territory]:
    """A territory whose database is told the time."""
    name = await postgres.create()
    await hand.install(postgres.url(name))
    async with await Database.connect(postgres.url(name), check=False) as database:
        await hand.set_to(database.writing, NOW)
        async with access.opened(database, tmp_path_factory.mktemp("instants")) as opened:
            yield opened
    await postgres.drop(name)


@dataclass
class Told:
    """Who gains what by one fact, and the instants at which it begins and ends; None: that is not looked at."""

    who: Any
    reference: str
    begins: datetime | None
    ends: datetime | None
    sees: bool = True
    """Between the two; the other way round before and after."""


def text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def during(start: datetime | None, end: datetime | None) -> dict[str, str]:
    return {name: text(one) for name, one in (("start", start), ("end", end)) if one is not None}


FROM, UNTIL = NOW + HOUR, NOW + 3 * HOUR


async def a_member(t: Territory) -> Told:
    gp, patient = await t.person("gp"), await t.patient()
    await t.create(t.system, team(patient, [], participant=[member(gp, period=during(FROM, UNTIL))]))
    return Told(gp, patient.reference, FROM, UNTIL + SECOND)


async def a_member_until_a_day(t: Territory) -> Told:
    """A day that is written without an hour lasts until its midnight in Paris; the night to the 29th has 23 hours."""
    gp, patient = await t.person("gp"), await t.patient()
    await t.create(t.system, team(patient, [], participant=[member(gp, period={"end": "2026-03-29"})]))
    return Told(gp, patient.reference, None, datetime(2026, 3, 29, 22, tzinfo=UTC))


async def a_role(t: Territory) -> Told:
    """Nobody acts in one that has not begun: its beginning is asked at sign-in."""
    gp = await t.person("gp", period=during(NOW, UNTIL))
    patient = await t.patient(gp)
    return Told(gp, patient.reference, None, UNTIL + SECOND)


async def a_substitute(t: Territory) -> Told:
    gp = await t.person("gp")
    other = await t.person("substitute", acts_for=gp.role, period=during(NOW, UNTIL))
    patient = await t.patient(gp)
    return Told(other, patient.reference, None, UNTIL + SECOND)


async def a_stay(t: Territory) -> Told:
    """And 24 hours."""
    unit = await t.organization("Pneumologie")
    doctor, patient = await t.person("hospital-doctor", unit), await t.patient()
    stay = item(
        patient, "Encounter", status="finished", period=during(FROM, UNTIL), serviceProvider={"reference": unit}
    )
    stay["class"] = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"}
    await t.create(t.system, stay)
    return Told(doctor, patient.reference, FROM, UNTIL + SECOND + DAY)


async def a_tour(t: Territory) -> Told:
    """From 18 h the evening before, in Paris, to 24 hours after the visit."""
    service = await t.organization("Aide à domicile")
    aide, patient = await t.person("home-aide", service), await t.patient(service)
    start, end = NOW + 30 * HOUR, NOW + 31 * HOUR  # the 28th, 16 h in Paris
    people = [{"actor": {"reference": one}, "status": "accepted"} for one in (patient.reference, aide.role)]
    await t.create(t.system, item(patient, "Appointment", start=text(start), end=text(end), participant=people))
    return Told(aide, patient.reference, datetime(2026, 3, 27, 17, tzinfo=UTC), end + SECOND + DAY)


async def a_permission(t: Territory) -> Told:
    physio, patient = await t.person("gp"), await t.patient()
    provision = {"type": "permit", "period": during(FROM, UNTIL), "actor": [actor(physio.role)]}
    await t.create(t.system, consent(patient, provision=provision))
    return Told(physio, patient.reference, FROM, UNTIL + SECOND)


async def an_opposition(t: Territory) -> Told:
    gp = await t.person("gp")
    patient = await t.patient(gp)
    provision = {"type": "deny", "period": during(FROM, UNTIL), "actor": [actor(gp.role)]}
    await t.create(t.system, consent(patient, "opposition", provision))
    return Told(gp, patient.reference, FROM, UNTIL + SECOND, sees=False)


async def an_emergency(t: Territory) -> Told:
    gp, doctor = await t.person("gp"), await t.person("on-call-doctor")
    patient = await arrivals.registered(t, gp)
    asked = arrivals.parameters(arrivals.traits(), reason="Trouvé inconscient à son domicile")
    answer = await t.ask(doctor.caller, "POST", "Patient/$emergency-access", asked)
    task = t.key(arrivals.said(answer)["task"]).res
    session = await t.database.reading.fetchval("select session from access_session where family = $1", task)
    opened = await sessions.caller_of(t.database.reading, session)
    return Told(_acting(opened), patient, None, NOW + 4 * HOUR)


async def a_call(t: Territory) -> Told:
    handler, doctor, gp = await calling.people(t)
    patient = await arrivals.registered(t, gp)
    answer = await t.ask(handler.caller, "POST", "Patient/$open-call", calling.asked(calling.told(), doctor.role))
    assert answer.status == 200, answer.body
    return Told(handler, patient, None, NOW + HOUR + SECOND)


class _acting:
    """Someone in a session of their own."""

    def __init__(self, caller: Any) -> None:
        self.caller = caller


FACTS: list[Callable[[Territory], Awaitable[Told]]] = [
    a_member, a_member_until_a_day, a_role, a_substitute, a_stay, a_tour, a_permission, an_opposition, an_emergency,
    a_call,
]  # fmt: skip


async def seen(t: Territory, told: Told, at: datetime) -> bool:
    await hand.set_to(t.database.writing, at)
    caller = told.who.caller
    answer = await t.ask(caller, "GET", f"Patient?_id={told.reference.partition('/')[2]}")
    found = answer.status == 200 and len(json.loads(answer.body).get("entry", ())) == 1
    read = await t.status(caller, told.reference) == 200  # 404 once a right has ended, 401 once a session has
    assert read == found, "a read and a search differ"
    return read


async def instants(t: Territory, told: Told) -> list[bool]:
    """What is seen a microsecond before and at each instant, as it should be."""
    await t.database.writing.execute("update access_session set expires_at = 'infinity' where family is null")
    at = [
        (moment, expected)
        for instant, first in ((told.begins, not told.sees), (told.ends, told.sees))
        if instant is not None
        for moment, expected in ((instant - MICRO, first), (instant, not first))
    ]
    return [await seen(t, told, moment) == expected for moment, expected in at]


@pytest.mark.parametrize("fact", FACTS, ids=lambda one: one.__name__)
async def test_a_right_begins_and_ends_at_its_instant(territory: Territory, fact: Any) -> None:
    told = await fact(territory)

    assert all(await instants(territory, told))


async def test_a_session_ends_at_its_instant(territory: Territory) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    ends = await territory.database.reading.fetchval(
        "select expires_at from access_session where session = $1", gp.caller.session
    )

    for moment, expected in ((ends - MICRO, True), (ends, False)):
        assert await seen(territory, Told(gp, patient.reference, None, ends), moment) is expected


@pytest.mark.parametrize("off", [MICRO, -MICRO], ids=["late", "early"])
async def test_a_microsecond_more_or_less_is_found(
    territory: Territory, monkeypatch: pytest.MonkeyPatch, off: timedelta
) -> None:
    """The fault, planted: rights that are computed with an end a microsecond off."""

    def shifted(world: Any, table: Any) -> Any:
        for right in honest(world, table):
            end = right.during.end
            yield right if end.year == 9999 else _replaced(right, end + off)

    honest = deciding.decide
    told = await a_member(territory)
    monkeypatch.setattr(grants, "decide", shifted)
    await rebuild(territory.database.writing, territory.store.vault)

    assert not all(await instants(territory, told))


def _replaced(right: Any, end: datetime) -> Any:
    return right._replace(during=right.during._replace(end=end))
