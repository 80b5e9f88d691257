"""Names and secrets: who gets in, and how slowly those who guess are answered."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from liaison.auth.people import accounts, hashes
from liaison.auth.people.accounts import Account, AccountProblem
from liaison.auth.people.sign_in import FREE, PIN_LOCKS_AT, SignInRefused, sign_in
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import Unavailable
from liaison.fhir.store.contract import Key
from liaison.fhir.store.database import Database

PASSWORD = "cheval exact pile agrafe"
PERSON = Key(0, kind_of("Practitioner"), 5)


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[asyncpg.Connection]:
    async with database.writing.acquire() as one:
        yield one


@pytest.fixture
async def account(connection: asyncpg.Connection) -> Account:
    return await accounts.add(connection, "Maelle.Tanguy", PERSON, password=PASSWORD, pin="271828")


async def enters(database: Database, secret: str, username: str = "maelle.tanguy", *, phone: bool = False) -> bool:
    try:
        await sign_in(database, username, secret, on_enrolled_phone=phone)
    except SignInRefused:
        return False
    return True


async def test_the_right_password_enters(database: Database, account: Account) -> None:
    entered = await sign_in(database, " MAELLE.tanguy ", PASSWORD, on_enrolled_phone=False)

    assert entered == account


@pytest.mark.parametrize("secret", ["", "wrong", PASSWORD.upper(), PASSWORD + " ", "271828", "\ud800", "x" * 5000])
async def test_anything_else_does_not(database: Database, account: Account, secret: str) -> None:
    assert not await enters(database, secret)


async def test_every_refusal_reads_the_same(database: Database, account: Account) -> None:
    texts = set()
    for username, secret in (("maelle.tanguy", "wrong"), ("nobody", PASSWORD), ("", ""), ("' or 1=1 --", "x")):
        with pytest.raises(SignInRefused) as refused:
            await sign_in(database, username, secret, on_enrolled_phone=False)
        texts.add(str(refused.value))

    assert len(texts) == 1


async def test_a_pin_works_on_an_enrolled_phone_only(database: Database, account: Account) -> None:
    assert await enters(database, "271828", phone=True)
    assert not await enters(database, "271828", phone=False)


async def test_a_suspended_account_does_not_enter(
    database: Database, connection: asyncpg.Connection, account: Account
) -> None:
    assert await accounts.suspend(connection, "maelle.tanguy")
    assert not await enters(database, PASSWORD)

    assert await accounts.suspend(connection, "maelle.tanguy", active=True)
    assert await enters(database, PASSWORD)


async def test_guessing_slows_down_even_for_the_right_password(
    database: Database, connection: asyncpg.Connection, account: Account
) -> None:
    for _ in range(FREE + 1):
        assert not await enters(database, "wrong")

    wait = await connection.fetchval("select locked_until - now() from account")
    assert wait.total_seconds() <= 5
    await connection.execute("update account set locked_until = now() + interval '1 hour'")
    assert not await enters(database, PASSWORD)  # has to wait now

    await connection.execute("update account set locked_until = now() - interval '1 second'")
    assert await enters(database, PASSWORD)
    assert await connection.fetchval("select failures from account") == 0


async def test_few_mistakes_cost_nothing(database: Database, account: Account) -> None:
    for _ in range(FREE):
        assert not await enters(database, "wrong")

    assert await enters(database, PASSWORD)


async def test_guesses_side_by_side_do_not_outrun_the_count(
    at_full_cost: None, database: Database, connection: asyncpg.Connection, account: Account
) -> None:
    await asyncio.gather(*(enters(database, f"guess {number}") for number in range(12)))

    # Twelve were tried; the first wait began at the fifth. (On a busy machine it may end before the last.)
    assert await connection.fetchval("select failures from account") <= FREE + 2
    assert await connection.fetchval("select locked_until is not null from account")


async def test_a_password_never_locks_for_good(
    database: Database, connection: asyncpg.Connection, account: Account
) -> None:
    await connection.execute("update account set failures = 60")
    assert not await enters(database, "wrong")

    wait = await connection.fetchval("select locked_until - now() from account")
    assert 890 < wait.total_seconds() <= 900


async def wrong_pins(database: Database, connection: asyncpg.Connection, times: int) -> None:
    for _ in range(times):
        await connection.execute("update account set pin_locked_until = null")  # someone patient
        assert not await enters(database, "000000", phone=True)


async def test_a_pin_locks_until_a_manager_sets_a_new_one(
    database: Database, connection: asyncpg.Connection, account: Account
) -> None:
    await wrong_pins(database, connection, PIN_LOCKS_AT)

    assert await connection.fetchval("select pin_locked_until > now() + interval '23 hours' from account")
    assert not await enters(database, "271828", phone=True)

    assert await accounts.set_secret(connection, "maelle.tanguy", pin="314159")
    assert await enters(database, "314159", phone=True)
    assert await enters(database, PASSWORD)  # the password stayed


async def test_a_pin_that_locked_is_good_again_after_a_day(
    database: Database, connection: asyncpg.Connection, account: Account
) -> None:
    await wrong_pins(database, connection, PIN_LOCKS_AT)
    await connection.execute("update account set pin_locked_until = pin_locked_until - interval '24 hours'")

    assert await enters(database, "271828", phone=True)
    assert await connection.fetchval("select pin_failures from account") == 0


async def test_wrong_passwords_do_not_lock_the_pin_nor_wrong_pins_the_password(
    database: Database, connection: asyncpg.Connection, account: Account
) -> None:
    for _ in range(PIN_LOCKS_AT):
        await connection.execute("update account set locked_until = null")
        assert not await enters(database, "wrong")
    assert not await enters(database, "000000", phone=True)  # one wrong one: the first
    assert await enters(database, "271828", phone=True)
    assert not await enters(database, PASSWORD)  # still slowed down: the PIN told nothing of the password

    await connection.execute("update account set failures = 0, locked_until = null")
    await wrong_pins(database, connection, PIN_LOCKS_AT)
    assert await enters(database, PASSWORD)
    assert not await enters(database, "271828", phone=True)


async def test_a_thousand_wrong_passwords_are_answered_as_one(
    database: Database, connection: asyncpg.Connection, account: Account
) -> None:
    await connection.execute("update account set failures = 5000")
    assert not await enters(database, "wrong")


@pytest.mark.parametrize(
    ("username", "secrets"),
    [
        ("maelle.tanguy", {"password": PASSWORD}),  # taken
        ("x", {"password": PASSWORD}),
        ("a b", {"password": PASSWORD}),
        ("someone", {"password": "too short"}),
        ("someone", {"password": "motdepasse2024!"}),
        ("someone", {"pin": "1234"}),
        ("someone", {"pin": "12345a"}),
        ("someone", {}),
    ],
    ids=str,
)
async def test_accounts_that_would_be_weak_or_ambiguous_are_refused(
    connection: asyncpg.Connection, account: Account, username: str, secrets: dict[str, str]
) -> None:
    with pytest.raises(AccountProblem):
        await accounts.add(
            connection, username, PERSON, password=secrets.get("password", ""), pin=secrets.get("pin", "")
        )


async def test_secrets_are_kept_as_argon2id(at_full_cost: None, connection: asyncpg.Connection) -> None:
    await accounts.add(connection, "maelle.tanguy", PERSON, password=PASSWORD, pin="271828")
    row = await connection.fetchrow("select * from account")

    assert row["password"].startswith("$argon2id$v=19$m=65536,t=3,p=4$")  # RFC 9106, its second choice
    assert row["pin"].startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert PASSWORD not in str(dict(row))


async def test_nobody_takes_as_long_as_somebody(at_full_cost: None) -> None:
    kept = await hashes.hashed(PASSWORD)
    loop = asyncio.get_running_loop()
    times = []
    for secret_of in (kept, None):
        assert not await hashes.matches("wrong", secret_of)  # warm: the hash of nobody is made once
        began = loop.time()
        for _ in range(5):
            await hashes.matches("wrong", secret_of)
        times.append(loop.time() - began)

    assert 0.3 < times[0] / times[1] < 3


async def test_a_storm_of_attempts_is_turned_away_before_it_fills_the_memory(
    at_full_cost: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashes, "WAITING", 4)

    async def attempt() -> bool:
        try:
            return not await hashes.matches("wrong", None)
        except Unavailable:
            return False

    answered = await asyncio.gather(*(attempt() for _ in range(10)))

    assert answered.count(False) == 6
    assert await attempt()  # and afterwards it is as before
