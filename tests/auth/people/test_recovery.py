"""Getting back in: two administrators, neither of them the one concerned; or the sealed code, for a lone one."""

from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from liaison.auth.people import accounts, ceremonies, invitations, recovery
from liaison.auth.people.accounts import Account
from liaison.auth.people.recovery import RecoveryProblem
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key
from liaison.fhir.store.database import Database

PASSWORD = "cheval exact pile agrafe"


@pytest.fixture
async def connection(database: Database) -> AsyncIterator[asyncpg.Connection]:
    async with database.writing.acquire() as one:
        yield one


async def person(connection: asyncpg.Connection, name: str, number: int, *, admin: bool = False) -> Account:
    if admin:
        await connection.execute(
            "insert into held_role (role, practitioner, organization, role_code, active, valid_from, valid_to)"
            " values ($1, $2, 3, 'admin', true, '-infinity', 'infinity')",
            number * 10,
            number,
        )
    return await accounts.add(connection, name, Key(0, kind_of("Practitioner"), number), invited=True)


async def lost(connection: asyncpg.Connection, number: int = 1) -> Account:
    """Someone with a password, an app and a passkey, none of which they have any more."""
    account = await person(connection, f"lost-{number}", number)
    await accounts.set_secret(connection, account.username, password=PASSWORD)
    await connection.execute("insert into totp (account, sealed) values ($1, 'x')", account.number)
    await connection.execute(
        "insert into passkey (credential, account, public_key, sign_count, label) values ('c', $1, 'k', 0, 'x')",
        account.number,
    )
    return account


async def nothing_left(connection: asyncpg.Connection, account: Account) -> bool:
    return bool(
        await connection.fetchval(
            "select a.password is null and a.pin is null and not exists (select from totp t where t.account = a.account)"
            " and not exists (select from passkey p where p.account = a.account) from account a where account = $1",
            account.number,
        )
    )


async def test_two_administrators_give_a_link_and_take_every_old_way_in(connection: asyncpg.Connection) -> None:
    account, first, second = (
        await lost(connection),
        await person(connection, "a1", 2, admin=True),
        await person(connection, "a2", 3, admin=True),
    )
    await recovery.ask(connection, account, first)
    assert await recovery.asked(connection) == {account.number: first.number}
    assert not await nothing_left(connection, account)

    token = await recovery.grant(connection, account, second)

    assert await nothing_left(connection, account)
    assert await invitations.account_of(connection, token) == account.number
    assert await recovery.asked(connection) == {}
    with pytest.raises(RecoveryProblem):
        await recovery.grant(connection, account, second)  # once
    (listed,) = await recovery.granted(connection)
    assert (listed.account, listed.asked_by, listed.granted_by) == (account.number, first.number, second.number)
    assert await recovery.sign_off(connection, listed.number)
    assert not await recovery.sign_off(connection, listed.number)


async def test_what_was_under_way_with_the_old_secrets_is_over_too(connection: asyncpg.Connection) -> None:
    """Whoever holds a lost browser adds no key of theirs to what is given back, nor ends a sign-in that began before."""
    account, other = await lost(connection), await person(connection, "other", 5)
    first, second = await person(connection, "a1", 2, admin=True), await person(connection, "a2", 3, admin=True)
    kinds: tuple[ceremonies.Kind, ...] = ("second", "add-passkey", "enter-by-passkey", "confirm-by-passkey")
    begun = [(await ceremonies.begin(connection, kind, account.number), kind) for kind in kinds]
    theirs = await ceremonies.begin(connection, "second", other.number)
    await recovery.ask(connection, account, first)

    await recovery.grant(connection, account, second)

    assert [await ceremonies.finish(connection, cookie, kind) for cookie, kind in begun] == [None] * len(kinds)
    assert await ceremonies.finish(connection, theirs, "second") == other.number


async def test_one_is_not_two(connection: asyncpg.Connection) -> None:
    account, first = await lost(connection), await person(connection, "a1", 2, admin=True)
    again = await person(connection, "a1-again", 9)
    # The same person's other account, of a base from before there was one for each.
    await connection.execute("update account set fhir_res = 2 where account = $1", again.number)
    again = replace(again, person=first.person)
    with pytest.raises(RecoveryProblem):
        await recovery.ask(connection, account, account)
    with pytest.raises(RecoveryProblem):
        await recovery.grant(connection, account, first)  # nobody has asked
    await recovery.ask(connection, account, first)
    for by in (first, again, account):
        with pytest.raises(RecoveryProblem):
            await recovery.grant(connection, account, by)
    assert not await nothing_left(connection, account)


async def test_a_first_word_ends_after_its_day_and_with_whoever_gave_it(connection: asyncpg.Connection) -> None:
    account, first, second = (
        await lost(connection),
        await person(connection, "a1", 2, admin=True),
        await person(connection, "a2", 3, admin=True),
    )
    await recovery.ask(connection, account, first)
    await accounts.suspend(connection, first.username)
    with pytest.raises(RecoveryProblem):
        await recovery.grant(connection, account, second)
    await accounts.suspend(connection, first.username, active=True)
    await connection.execute(
        "update held_role set valid_to = now() where practitioner = 2"
    )  # no administrator any more
    with pytest.raises(RecoveryProblem):
        await recovery.grant(connection, account, second)
    await connection.execute("update held_role set valid_to = 'infinity' where practitioner = 2")
    await connection.execute("update recovery set expires_at = now()")
    with pytest.raises(RecoveryProblem):
        await recovery.grant(connection, account, second)


async def test_a_lone_administrator_gets_back_in_by_the_sealed_code_once(connection: asyncpg.Connection) -> None:
    account = await lost(connection)
    await person(connection, "other", 2, admin=True)
    code = await recovery.seal(connection)
    assert code not in str(dict(await connection.fetchrow("select * from sealed_code")))
    with pytest.raises(RecoveryProblem):
        await recovery.open_envelope(connection, account, code[:-1] + ("A" if code[-1] != "A" else "B"))

    for typed in (f" {code.lower()}\n", code.replace("-", " ").lower(), code.replace("-", "")):
        await recovery.open_envelope(connection, account, typed)
    token = await recovery.at_the_console(connection, account)

    assert await nothing_left(connection, account)
    assert await invitations.account_of(connection, token) == account.number
    assert [one.granted_by for one in await recovery.granted(connection)] == [0]
    with pytest.raises(RecoveryProblem):
        await recovery.open_envelope(connection, account, code)


async def test_where_there_are_two_the_console_is_no_way_round_them(connection: asyncpg.Connection) -> None:
    account = await lost(connection)
    code = await recovery.seal(connection)
    await person(connection, "a1", 2, admin=True)
    await person(connection, "a2", 3, admin=True)
    with pytest.raises(RecoveryProblem, match="two other administrators"):
        await recovery.open_envelope(connection, account, code)
    await accounts.suspend(connection, "a2")
    await recovery.open_envelope(connection, account, code)


async def test_five_wrong_codes_end_the_sealed_one(connection: asyncpg.Connection) -> None:
    account, code = await lost(connection), await recovery.seal(connection)
    await connection.execute("update sealed_code set tries = 4")
    for given in ("wrong", code):
        with pytest.raises(RecoveryProblem):
            await recovery.open_envelope(connection, account, given)
    code = await recovery.seal(connection)
    await recovery.open_envelope(connection, account, code)


async def test_an_account_of_pro_sante_connect_gets_no_link_by_two_nor_by_the_sealed_code(
    connection: asyncpg.Connection,
) -> None:
    account = await accounts.add(connection, "psc-1234", Key(0, kind_of("Practitioner"), 1), invited=True)
    first, second = await person(connection, "a1", 2, admin=True), await person(connection, "a2", 3, admin=True)
    with pytest.raises(RecoveryProblem, match="Pro Santé Connect"):
        await recovery.ask(connection, account, first)
    await connection.execute(  # asked for before this was refused
        "insert into recovery (recovery, account, asked_by, expires_at) values (7, $1, $2, now() + interval '1 day')",
        account.number,
        first.number,
    )
    with pytest.raises(RecoveryProblem, match="Pro Santé Connect"):
        await recovery.grant(connection, account, second)

    await accounts.suspend(connection, second.username)
    code = await recovery.seal(connection)
    with pytest.raises(RecoveryProblem, match="Pro Santé Connect"):
        await recovery.open_envelope(connection, account, code)
    with pytest.raises(RecoveryProblem, match="Pro Santé Connect"):
        await recovery.at_the_console(connection, account)
    assert not await connection.fetchval("select exists (select from first_access)")
    await recovery.open_envelope(connection, first, code)  # the code stays good for another
