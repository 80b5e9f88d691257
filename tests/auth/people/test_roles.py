"""The roles a person may choose at sign-in, as PractitionerRoles state them."""

import asyncio
import os
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from liaison.auth.access import vocabulary
from liaison.auth.people import roles
from liaison.auth.people.roles import HeldRole
from liaison.auth.sessions import Act, NoLongerHeld, is_alive, open_session
from liaison.fhir.definitions import kind_of
from liaison.fhir.model.dates import ZONE
from liaison.fhir.store.contract import Change, Key
from liaison.fhir.store.database import Database
from liaison.fhir.store.ids import Ids

IDS = Ids(os.urandom(16))
PERSON, ROLE, PLACE = 11, 22, 33


def reference(type_: str, res: int) -> dict[str, str]:
    return {"reference": f"{type_}/{IDS.encode(Key(0, kind_of(type_), res))}"}


def practitioner_role(code: str = "nurse", *, acts_for: bool = False, **more: Any) -> dict[str, Any]:
    tree: dict[str, Any] = {
        "resourceType": "PractitionerRole",
        "practitioner": reference("Practitioner", PERSON),
        "organization": reference("Organization", PLACE),
        "code": [{"coding": [{"system": vocabulary.ROLE, "code": code}]}],
        **more,
    }
    if acts_for:
        tree["extension"] = [{"url": vocabulary.ACTS_FOR, "valueReference": reference("PractitionerRole", 44)}]
    return tree


async def write(database: Database, tree: dict[str, Any] | None, res: int = ROLE) -> None:
    change = Change("update", Key(0, kind_of("PractitionerRole"), res), "PractitionerRole", 1, tree)
    async with database.writing.acquire() as connection, connection.transaction():
        await roles.derive(connection, IDS, [change])


async def held(database: Database) -> list[HeldRole]:
    return await roles.held_by(database.reading, PERSON)


def day(days: int) -> str:
    return (datetime.now(ZONE).date() + timedelta(days=days)).isoformat()


def dated(period: Any) -> Any:
    """A period with days counted from now: a case is written before midnight, and may be run after it."""
    return {end: day(one) if isinstance(one, int) else one for end, one in period.items()}


async def test_an_active_role_may_be_chosen(database: Database) -> None:
    await write(database, practitioner_role())

    assert await held(database) == [HeldRole(ROLE, PLACE, "nurse")]


@pytest.mark.parametrize(
    ("more", "count"),
    [
        ({"active": False}, 0),
        ({"period": {"start": -10}}, 1),
        ({"period": {"start": 2}}, 0),
        ({"period": {"end": -2}}, 0),
        ({"period": {"end": 0}}, 1),  # until the end of that day
        ({"period": {"start": "2001", "end": "2002"}}, 0),
        ({"period": {"start": "rubbish"}}, 0),
        ({"period": {"end": "rubbish"}}, 0),
        ({"code": [{"coding": [{"system": "urn:other", "code": "nurse"}]}]}, 0),
        ({"practitioner": {"reference": "Practitioner/made-up"}}, 0),
    ],
    ids=str,
)
async def test_only_what_is_in_force_counts(database: Database, more: dict[str, Any], count: int) -> None:
    if "period" in more:
        more = {**more, "period": dated(more["period"])}
    await write(database, practitioner_role(**more))

    assert len(await held(database)) == count


@pytest.mark.parametrize(
    ("code", "acts_for", "period", "count"),
    [
        ("substitute", True, {"start": -1, "end": 1}, 1),
        ("substitute", False, {"start": -1, "end": 1}, 0),
        ("substitute", True, {"start": -1}, 0),
        ("substitute", True, {"end": 1}, 0),
        ("substitute", True, {"start": -9, "end": -2}, 0),
        ("trainee", True, {"end": 30}, 1),
        ("trainee", False, {"end": 30}, 0),
        ("secretary", True, {"start": -1}, 1),
        ("secretary", False, {"start": -1}, 0),
    ],
)
async def test_who_stands_in_does_so_for_someone_and_for_a_time(
    database: Database, code: str, acts_for: bool, period: dict[str, int], count: int
) -> None:
    await write(database, practitioner_role(code, acts_for=acts_for, period=dated(period)))

    assert len(await held(database)) == count


async def test_two_roles_are_two_choices(database: Database) -> None:
    await write(database, practitioner_role("nurse"), 22)
    await write(database, practitioner_role("coordinator"), 23)

    assert sorted(one.role_code for one in await held(database)) == ["coordinator", "nurse"]


async def test_a_deleted_role_is_gone(database: Database) -> None:
    await write(database, practitioner_role())
    await write(database, None)

    assert await held(database) == []


async def open_in_role(connection: asyncpg.Connection, seconds: int = 600) -> int:
    act = Act(
        principals=(PERSON, ROLE),
        purpose=1,
        role_code="nurse",
        practitioner=PERSON,
        role=ROLE,
        organization=PLACE,
    )
    return await open_session(connection, act, "browser", seconds)


@pytest.mark.parametrize(
    "after",
    [
        None,
        practitioner_role(active=False),
        practitioner_role(period={"end": day(-1)}),
        practitioner_role("physio"),
        practitioner_role(organization=reference("Organization", 99)),
        practitioner_role(practitioner=reference("Practitioner", 99)),
    ],
    ids=["deleted", "inactive", "over", "another role", "another place", "another person"],
)
async def test_sessions_end_with_the_role_they_act_in(database: Database, after: dict[str, Any] | None) -> None:
    await write(database, practitioner_role())
    async with database.writing.acquire() as connection:
        session = await open_in_role(connection)
    assert await is_alive(database.reading, session)

    await write(database, after)

    assert not await is_alive(database.reading, session)


async def test_sessions_outlive_a_change_that_leaves_the_role(database: Database) -> None:
    await write(database, practitioner_role())
    async with database.writing.acquire() as connection:
        session = await open_in_role(connection)

    await write(database, practitioner_role(period={"end": day(10)}))

    assert await is_alive(database.reading, session)


async def test_no_session_opens_in_a_role_that_is_not_held(database: Database) -> None:
    await write(database, practitioner_role(active=False))

    async with database.writing.acquire() as connection:
        with pytest.raises(NoLongerHeld):
            await open_in_role(connection)


async def test_a_session_lasts_no_longer_than_its_role(database: Database) -> None:
    await write(database, practitioner_role())
    async with database.writing.acquire() as connection:
        await connection.execute("update held_role set valid_to = now() + interval '1 second'")
        session = await open_in_role(connection, 3600)
    assert await is_alive(database.reading, session)

    async with asyncio.timeout(60):
        while not await database.reading.fetchval("select valid_to < clock_timestamp() from held_role"):
            await asyncio.sleep(0.02)

    assert not await is_alive(database.reading, session)
