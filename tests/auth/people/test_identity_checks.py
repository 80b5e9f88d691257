"""An account of someone of a record: on a check by another person of staff, once, and no longer than they represent."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta

import asyncpg
import pytest

from liaison.auth.access.relations import Relation
from liaison.auth.people import accounts, browsers, identity_checks, invitations, sign_in
from liaison.auth.people.accounts import Account
from liaison.auth.people.identity_checks import NotChecked
from liaison.auth.people.sign_in import SignInRefused
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Change, Key
from liaison.fhir.store.database import Database

PASSWORD = "cheval exact pile agrafe"
PATIENT = Key(7, kind_of("Patient"), 8)
GUARDIAN = Key(7, kind_of("RelatedPerson"), 9)
TODAY = date.today()


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[asyncpg.Connection]:
    async with database.writing.acquire() as one:
        yield one


@pytest.fixture
async def nurse(connection: asyncpg.Connection) -> Account:
    return await accounts.add(connection, "nurse", Key(0, kind_of("Practitioner"), 5), invited=True)


async def represents(connection: asyncpg.Connection, until: str = "infinity") -> None:
    await connection.execute("delete from relation where principal = 9")
    await connection.execute(
        "insert into relation (patient, principal, relation, source_kind, source_res, ordinal, valid_from, valid_to)"
        " values (7, 9, $1, $2, 9, 0, now() - interval '1 day', $3::text::timestamptz)",
        int(Relation.REPRESENTED),
        GUARDIAN.kind,
        until,
    )


async def check(connection: asyncpg.Connection, person: Key, by: Account, **more: date) -> None:
    await identity_checks.record(connection, person, by=by.number, document="passport", **more)


async def opened(connection: asyncpg.Connection, person: Key, name: str = "j.lebras") -> Account:
    async with connection.transaction():
        return await accounts.add(connection, name, person, password=PASSWORD)


async def refused(connection: asyncpg.Connection, person: Key, opener: Key | None = None) -> str:
    with pytest.raises(NotChecked) as why:
        async with connection.transaction():
            await accounts.add(connection, "again", person, invited=True, opener=opener)
    assert await accounts.by_username(connection, "again") is None
    return why.value.why


async def test_without_a_check_there_is_no_account_and_a_check_serves_once(
    connection: asyncpg.Connection, nurse: Account
) -> None:
    assert await refused(connection, PATIENT) == "unchecked"
    await check(connection, PATIENT, nurse)
    (waiting,) = await identity_checks.waiting(connection)
    assert (waiting.person, waiting.by, waiting.document) == (PATIENT, nurse.number, "passport")
    assert await refused(connection, PATIENT, nurse.person) == "alone"
    account = await opened(connection, PATIENT)
    assert await identity_checks.waiting(connection) == []
    assert await identity_checks.of_account(connection, account.number) == waiting
    assert await refused(connection, PATIENT) == "known"
    with pytest.raises(NotChecked, match="known"):
        await check(connection, PATIENT, nurse)


async def test_a_check_is_of_a_day_that_has_been_and_not_of_long_ago(
    connection: asyncpg.Connection, nurse: Account
) -> None:
    for day in (TODAY + timedelta(days=2), TODAY - timedelta(days=95)):
        with pytest.raises(NotChecked, match="day"):
            await check(connection, PATIENT, nurse, seen_on=day)
    for person, document in ((nurse.person, "passport"), (PATIENT, "library-card")):
        with pytest.raises(NotChecked, match="nobody"):
            await identity_checks.record(connection, person, by=nurse.number, document=document)
    await check(connection, PATIENT, nurse, seen_on=TODAY - timedelta(days=80))
    await connection.execute("update identity_check set seen_on = seen_on - 20")
    assert await identity_checks.waiting(connection) == []
    assert await refused(connection, PATIENT) == "unchecked"


async def test_of_two_who_open_at_once_one_does(
    database: Database, connection: asyncpg.Connection, nurse: Account
) -> None:
    await check(connection, PATIENT, nurse)
    await check(connection, PATIENT, nurse)  # two checks, one person

    async def one(name: str) -> bool:
        async with database.writing.acquire() as other:
            try:
                await opened(other, PATIENT, name)
            except NotChecked:
                return False
        return True

    assert sorted(await asyncio.gather(one("a.b"), one("c.d"), one("e.f"))) == [False, False, True]
    assert len(await accounts.of_person(connection, PATIENT)) == 1


async def test_who_represents_nobody_has_no_account(connection: asyncpg.Connection, nurse: Account) -> None:
    with pytest.raises(NotChecked, match="unrepresented"):
        await check(connection, GUARDIAN, nurse)
    await represents(connection)
    await check(connection, GUARDIAN, nurse)
    await connection.execute("update relation set valid_to = now() where principal = 9")
    assert await identity_checks.waiting(connection, [GUARDIAN]) == []
    assert await refused(connection, GUARDIAN) == "unrepresented"


async def test_an_account_is_over_with_the_representation_and_back_with_it(
    database: Database, connection: asyncpg.Connection, nurse: Account
) -> None:
    await represents(connection)
    await check(connection, GUARDIAN, nurse)
    account = await opened(connection, GUARDIAN)
    link, cookie = await invitations.invite(connection, account.number), await browsers.begin(connection, account)
    assert await browsers.find(connection, cookie) is not None

    await connection.execute("update relation set valid_to = now() where principal = 9")

    assert await browsers.find(connection, cookie) is None
    assert await invitations.account_of(connection, link) is None
    assert not await accounts.in_force(connection, account.number)
    (now,) = await accounts.of_person(connection, GUARDIAN)
    assert (now.active, now.over) == (True, True)
    with pytest.raises(SignInRefused):
        await sign_in.sign_in(database, "j.lebras", PASSWORD, on_enrolled_phone=False)

    await represents(connection, until="2999-01-01")
    assert (await sign_in.sign_in(database, "j.lebras", PASSWORD, on_enrolled_phone=False)).number == account.number


async def test_what_was_open_falls_when_the_representation_is_taken_back(
    connection: asyncpg.Connection, nurse: Account
) -> None:
    await represents(connection)
    await check(connection, GUARDIAN, nurse)
    account = await opened(connection, GUARDIAN)
    await browsers.begin(connection, account)
    changes = [Change("update", GUARDIAN, "RelatedPerson", 2, tree={})]
    open_ = "select count(*) from access_session where account = $1 and ended_at is null"

    await identity_checks.end_representation(connection, changes)
    assert await connection.fetchval(open_, account.number) == 1
    await connection.execute("delete from relation where principal = 9")
    await identity_checks.end_representation(connection, changes)
    assert await connection.fetchval(open_, account.number) == 0
