"""Codes of an authenticator app: taken once, counted before they are looked at, locked at the tenth wrong one."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from liaison.auth.people import accounts, ceremonies, invitations, second_factor, totp
from liaison.auth.people.accounts import Account
from liaison.auth.people.sign_in import FREE, SignInRefused
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key
from liaison.fhir.store.database import Database
from liaison.fhir.vault import FileKeyProvider, NotAuthentic, Vault

PERSON = Key(0, kind_of("Practitioner"), 5)


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[asyncpg.Connection]:
    async with database.writing.acquire() as one:
        yield one


@pytest.fixture
async def vault(connection: asyncpg.Connection, tmp_path: Path) -> Vault:
    return await Vault.open(connection, FileKeyProvider.create(tmp_path / "key"))


@pytest.fixture
async def account(connection: asyncpg.Connection) -> Account:
    return await accounts.add(connection, "m.tanguy", PERSON, invited=True)


@pytest.fixture
async def secret(connection: asyncpg.Connection, vault: Vault, account: Account) -> bytes:
    """An app in place, whose code of the step before was its first."""
    await second_factor.propose(connection, vault, account.number)
    made = await second_factor.proposed(connection, vault, account.number)
    assert made is not None
    assert await second_factor.confirm(connection, vault, account.number, now(made, -1))
    return made


def now(secret: bytes, steps: int = 0) -> str:
    return totp.code_of(secret, totp.step_of(time.time()) + steps)


async def takes(database: Database, vault: Vault, account: Account, code: str) -> bool:
    try:
        await second_factor.check(database.writing, vault, account, code)
    except SignInRefused:
        return False
    return True


async def test_a_secret_counts_for_nothing_until_a_code_of_it_came_back(
    database: Database, connection: asyncpg.Connection, vault: Vault, account: Account
) -> None:
    await second_factor.propose(connection, vault, account.number)
    made = await second_factor.proposed(connection, vault, account.number)
    assert made is not None
    await second_factor.propose(connection, vault, account.number)
    assert await second_factor.proposed(connection, vault, account.number) == made  # a page shown twice is the same

    assert not (await second_factor.factors_of(connection, account.number)).any
    assert not await takes(database, vault, account, now(made))
    assert not await second_factor.confirm(connection, vault, account.number, "000000")
    assert await second_factor.confirm(connection, vault, account.number, now(made))
    assert (await second_factor.factors_of(connection, account.number)).codes
    assert await second_factor.proposed(connection, vault, account.number) is None  # never shown again


async def test_a_code_works_once(database: Database, vault: Vault, account: Account, secret: bytes) -> None:
    code = now(secret)

    assert await takes(database, vault, account, code)
    assert not await takes(database, vault, account, code)


async def test_of_many_who_send_the_same_code_one_gets_in(
    database: Database, vault: Vault, account: Account, secret: bytes
) -> None:
    code = now(secret)

    took = await asyncio.gather(*(takes(database, vault, account, code) for _ in range(4)))

    assert took.count(True) == 1


async def test_an_older_code_is_dead_once_a_newer_one_was_taken(
    database: Database, vault: Vault, account: Account, secret: bytes
) -> None:
    assert await takes(database, vault, account, now(secret, 1))
    assert not await takes(database, vault, account, now(secret, 0))


async def test_wrong_codes_slow_down_even_the_right_one(
    database: Database, connection: asyncpg.Connection, vault: Vault, account: Account, secret: bytes
) -> None:
    wrong = f"{(int(now(secret)) + 5) % 10**6:06d}"
    for _ in range(FREE + 1):
        assert not await takes(database, vault, account, wrong)
    await connection.execute("update totp set locked_until = now() + interval '1 minute'")

    assert not await takes(database, vault, account, now(secret))
    await connection.execute("update totp set locked_until = now() - interval '1 second'")
    assert await takes(database, vault, account, now(secret, 1))
    assert await connection.fetchval("select failures from totp") == 0


async def test_the_tenth_wrong_code_locks_for_good(
    database: Database, connection: asyncpg.Connection, vault: Vault, account: Account, secret: bytes
) -> None:
    await connection.execute("update totp set failures = $1", second_factor.LOCKS_AT - 1)
    assert not await takes(database, vault, account, "abcdef")

    assert await connection.fetchval("select locked_until = 'infinity' from totp")
    assert not await takes(database, vault, account, now(secret, 1))


async def test_the_secret_is_sealed_to_its_account(
    connection: asyncpg.Connection, vault: Vault, account: Account, secret: bytes
) -> None:
    sealed = await connection.fetchval("select sealed from totp")
    assert secret not in sealed

    other = await accounts.add(connection, "other", PERSON._replace(res=PERSON.res + 1), invited=True)
    await connection.execute("insert into totp (account, sealed) values ($1, $2)", other.number, sealed)
    with pytest.raises(NotAuthentic):
        await second_factor.proposed(connection, vault, other.number)


async def test_a_ceremony_belongs_to_one_browser_one_kind_and_one_end(connection: asyncpg.Connection) -> None:
    cookie = await ceremonies.begin(connection, "second", 7)

    assert await ceremonies.account_of(connection, cookie, "second") == 7
    assert await ceremonies.account_of(connection, cookie, "add-passkey") is None
    assert await ceremonies.account_of(connection, cookie + "x", "second") is None
    assert await ceremonies.finish(connection, cookie, "enter-by-passkey") is None
    assert await ceremonies.finish(connection, cookie, "second") == 7
    assert await ceremonies.finish(connection, cookie, "second") is None
    kept = await connection.fetch("select * from ceremony")
    assert kept == []


async def test_a_ceremony_ends_by_itself(connection: asyncpg.Connection) -> None:
    cookie = await ceremonies.begin(connection, "second", 7)
    await connection.execute("update ceremony set expires_at = now() - interval '1 second'")

    assert await ceremonies.account_of(connection, cookie, "second") is None
    assert await ceremonies.finish(connection, cookie, "second") is None


async def test_an_invitation_works_once_for_an_account_in_force(
    connection: asyncpg.Connection, account: Account
) -> None:
    first = await invitations.invite(connection, account.number)
    link = await invitations.invite(connection, account.number)
    assert await invitations.account_of(connection, first) is None  # the newer one ends it
    kept = await connection.fetchrow("select * from first_access")
    assert link not in str(dict(kept))

    await accounts.suspend(connection, account.username)
    assert await invitations.account_of(connection, link) is None
    assert await invitations.spend(connection, link) is None
    await accounts.suspend(connection, account.username, active=True)
    assert await invitations.account_of(connection, link) == account.number
    assert await invitations.spend(connection, link) == account.number
    assert await invitations.spend(connection, link) is None


async def test_an_invitation_ends_after_its_day(connection: asyncpg.Connection, account: Account) -> None:
    link = await invitations.invite(connection, account.number)
    await connection.execute("update first_access set expires_at = now() - interval '1 second'")

    assert await invitations.account_of(connection, link) is None
    assert await invitations.spend(connection, link) is None
