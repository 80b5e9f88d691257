"""Browser sessions: what a cookie is worth, and what ends it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from liaison.auth import sessions
from liaison.auth.people import accounts, browsers, identity_checks
from liaison.auth.people.accounts import Account
from liaison.auth.people.roles import HeldRole
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key
from liaison.fhir.store.database import Database

PASSWORD = "cheval exact pile agrafe"
ROLE = HeldRole(22, 33, "nurse")


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[asyncpg.Connection]:
    async with database.writing.acquire() as one:
        await one.execute(
            "insert into held_role (role, practitioner, organization, role_code, active, valid_from, valid_to)"
            " values (22, 5, 33, 'nurse', true, '-infinity', $1)",
            datetime.now(UTC) + timedelta(hours=1),
        )
        yield one


@pytest.fixture
async def nurse(connection: asyncpg.Connection) -> Account:
    return await accounts.add(connection, "nurse", Key(0, kind_of("Practitioner"), 5), password=PASSWORD)


async def test_a_professional_has_no_role_until_one_is_chosen(connection: asyncpg.Connection, nurse: Account) -> None:
    cookie = await browsers.begin(connection, nurse)

    browser = await browsers.find(connection, cookie)

    assert browser is not None
    assert browser.account == nurse
    assert browser.caller.role_code == ""
    principals = "select principals from access_session where session = $1"
    assert await connection.fetchval(principals, browser.caller.session) == []


async def test_a_chosen_role_gives_its_principals_and_purpose(connection: asyncpg.Connection, nurse: Account) -> None:
    cookie = await browsers.choose(connection, await browsers.begin(connection, nurse), nurse, ROLE)

    browser = await browsers.find(connection, cookie)

    assert browser is not None
    caller = browser.caller
    assert (caller.practitioner, caller.role, caller.organization, caller.role_code) == (5, 22, 33, "nurse")
    assert caller.bound.allows("r", "Observation")
    principals = "select principals from access_session where session = $1"
    assert await connection.fetchval(principals, caller.session) == [5, 22]


async def test_a_session_says_who_vouched_for_its_person(connection: asyncpg.Connection, nurse: Account) -> None:
    async def proven(cookie: str) -> str:
        browser = await browsers.find(connection, cookie)
        assert browser is not None
        return browser.caller.proven

    here = await browsers.begin(connection, nurse)
    assert await proven(here) == "liaison 1"
    here = await browsers.choose(connection, here, nurse, ROLE)
    assert await proven(here) == "liaison 1"
    assert await proven(await browsers.prove_again(connection, here, factors=2)) == "liaison 2"
    vouched = browsers.Elsewhere(
        frozenset({"nurse"}), "", b"", datetime.now(UTC), issuer="https://psc.example", acr="eidas1"
    )
    there = await browsers.begin(connection, nurse, factors=2, elsewhere=vouched)
    there = await browsers.choose(connection, there, nurse, ROLE)
    assert await proven(there) == "https://psc.example eidas1"
    assert await proven(await browsers.prove_again(connection, there, factors=2)) == "https://psc.example eidas1"


async def test_choosing_a_role_changes_the_cookie_and_ends_the_old_one(
    connection: asyncpg.Connection, nurse: Account
) -> None:
    before = await browsers.begin(connection, nurse)
    old = await browsers.find(connection, before)
    after = await browsers.choose(connection, before, nurse, ROLE)

    assert after != before
    assert await browsers.find(connection, before) is None
    assert old is not None
    assert not await sessions.is_alive(connection, old.caller.session)


async def test_signing_in_ends_the_session_that_the_browser_came_with(
    connection: asyncpg.Connection, nurse: Account
) -> None:
    planted = await browsers.begin(connection, nurse)

    fresh = await browsers.begin(connection, nurse, leaving=planted)

    assert fresh != planted
    assert await browsers.find(connection, planted) is None


async def test_a_patient_acts_as_themselves_at_once(connection: asyncpg.Connection, nurse: Account) -> None:
    person = Key(7, kind_of("Patient"), 8)
    await identity_checks.record(connection, person, by=nurse.number, document="id-card")
    account = await accounts.add(connection, "patient", person, password=PASSWORD)

    browser = await browsers.find(connection, await browsers.begin(connection, account))

    assert browser is not None
    assert browser.caller.role_code == "patient"
    principals = "select principals from access_session where session = $1"
    assert await connection.fetchval(principals, browser.caller.session) == [8]


async def test_a_session_ends_with_the_role(connection: asyncpg.Connection, nurse: Account) -> None:
    cookie = await browsers.choose(connection, await browsers.begin(connection, nurse), nurse, ROLE)

    browser = await browsers.find(connection, cookie)

    assert browser is not None
    assert browser.expires_at < datetime.now(UTC) + timedelta(hours=1, minutes=1)  # not four hours


async def test_choosing_a_role_again_makes_no_session_longer(connection: asyncpg.Connection, nurse: Account) -> None:
    await connection.execute("update held_role set valid_to = 'infinity'")
    cookie = await browsers.choose(connection, await browsers.begin(connection, nurse), nurse, ROLE)
    await connection.execute("update browser_session set started_at = now() - interval '3 hours'")

    again = await browsers.find(connection, await browsers.choose(connection, cookie, nurse, ROLE))

    assert again is not None
    assert again.expires_at < datetime.now(UTC) + timedelta(hours=1, minutes=1)


@pytest.mark.parametrize("how", ["sign out", "everywhere", "suspended", "session ended", "expired"])
async def test_what_ends_a_session_ends_it_at_the_next_look(
    connection: asyncpg.Connection, nurse: Account, how: str
) -> None:
    cookie = await browsers.choose(connection, await browsers.begin(connection, nurse), nurse, ROLE)
    browser = await browsers.find(connection, cookie)
    assert browser is not None

    match how:
        case "sign out":
            await browsers.end(connection, cookie)
        case "everywhere":
            await sessions.end_account(connection, nurse.number)
        case "suspended":
            await accounts.suspend(connection, "nurse")
        case "session ended":
            await sessions.end_session(connection, browser.caller.session)
        case "expired":
            await connection.execute("update access_session set expires_at = now()")

    assert await browsers.find(connection, cookie) is None
    assert not await sessions.is_alive(connection, browser.caller.session)


async def test_one_can_sign_in_again_after_ending_everything(connection: asyncpg.Connection, nurse: Account) -> None:
    await sessions.end_account(connection, nurse.number)
    await asyncio.sleep(0.01)

    assert await browsers.find(connection, await browsers.begin(connection, nurse)) is not None


async def test_another_browser_is_left_alone_by_signing_out(connection: asyncpg.Connection, nurse: Account) -> None:
    one, other = await browsers.begin(connection, nurse), await browsers.begin(connection, nurse)

    await browsers.end(connection, one)

    assert await browsers.find(connection, other) is not None


async def test_a_form_token_is_of_its_session_alone(connection: asyncpg.Connection, nurse: Account) -> None:
    one, other = [await browsers.find(connection, await browsers.begin(connection, nurse)) for _ in range(2)]

    assert one is not None
    assert other is not None
    assert one.csrf_matches(one.csrf)
    assert not one.csrf_matches(other.csrf)
    assert not one.csrf_matches("")


async def test_the_cookie_itself_is_nowhere_in_the_database(connection: asyncpg.Connection, nurse: Account) -> None:
    cookie = await browsers.begin(connection, nurse)

    rows = await connection.fetch("select * from browser_session")

    assert cookie not in str([dict(row) for row in rows])
    assert cookie.encode().hex() not in str(
        [{k: v.hex() for k, v in row.items() if isinstance(v, bytes)} for row in rows]
    )
