"""Local accounts. An account says how someone signs in, and which resource of the directory or record they are; what
they may do is never kept here."""

import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

from liaison.auth.people import passwords
from liaison.auth.people.hashes import hashed
from liaison.auth.people.identity_checks import represents, spend
from liaison.auth.sessions import end_account
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key

KINDS: Final = ("Practitioner", "Patient", "RelatedPerson")
_USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
_PIN: Final = re.compile(r"[0-9]{6}")


class AccountProblem(ValueError):
    """An account that is refused; the text says what is wrong, and never holds a secret."""


class AlreadyHeld(AccountProblem):
    """The person has an account already."""


@dataclass(frozen=True, slots=True)
class Account:
    """`person` is the key of the Practitioner, Patient or RelatedPerson who signs in. `ends_at`: the end of a contract;
    `over`: it has passed, or a representative represents nobody any more, by the database's clock."""

    number: int
    username: str
    person: Key
    active: bool = True
    ends_at: datetime | None = None
    over: bool = False


IN_FORCE: Final = f"(a.active and (a.ends_at is null or a.ends_at > now()) and {represents('a')})"
"""SQL: whether one may sign in by the account `a`, now: not suspended, not ended, and no former representative's."""

UNLOCKED: Final = "failures = 0, locked_until = null, pin_failures = 0, pin_locked_until = null"
"""SQL, for an update of `account`: nothing was tried in vain."""

_COLUMNS: Final = (
    "a.account, a.username, a.fhir_kind, a.fhir_patient, a.fhir_res, a.active, a.ends_at,"
    f" coalesce(a.ends_at <= now(), false) or not {represents('a')} as over"
)


def _account(row: Any) -> Account:
    person = Key(row["fhir_patient"], row["fhir_kind"], row["fhir_res"])
    return Account(row["account"], row["username"], person, row["active"], row["ends_at"], row["over"])


def normal(username: str) -> str:
    """How a user name is kept and compared: without case, without surrounding spaces."""
    return unicodedata.normalize("NFKC", username).strip().casefold()


def checked_name(username: str) -> str:
    """The name as it is kept. Raises AccountProblem for one that cannot be a user name."""
    name = normal(username)
    if _USERNAME.fullmatch(name) is None:
        raise AccountProblem("A user name has 2 to 64 letters without accents, digits, dots or hyphens.")
    return name


async def add(
    connection: asyncpg.Connection,
    username: str,
    person: Key,
    *,
    password: str = "",
    pin: str = "",
    invited: bool = False,
    ends_at: datetime | None = None,
    opener: Key | None = None,
) -> Account:
    """Raises AccountProblem for a name that is taken or malformed, a secret that is weak, and AlreadyHeld for a professional
    who has or has had an account: whoever opens a second one, or ends theirs and opens another, would be that
    professional. For someone of a record, identity_checks.NotChecked.

    `invited`: without any secret; its owner sets one by the link of an invitation.
    `ends_at`: the end of a contract, after which nobody signs in by it.
    `opener`: the person who opens it; None at the console.
    """
    name = checked_name(username)
    if person.kind not in {kind_of(type_) for type_ in KINDS}:
        raise AccountProblem(f"An account is a person's: {', '.join(KINDS)}.")
    kept = (None, None) if invited else await _secrets(name, password, pin)
    # Of its own, within the caller's: what is refused leaves nothing behind, whatever the caller makes of the refusal.
    async with connection.transaction():
        row = await connection.fetchrow(
            f"""
            insert into account as a (account, username, password, pin, fhir_kind, fhir_patient, fhir_res, ends_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (username) do nothing returning {_COLUMNS}
            """,
            secrets.randbits(62) or 1,
            name,
            *kept,
            person.kind,
            person.patient,
            person.res,
            ends_at,
        )
        if row is None:
            raise AccountProblem(f"The user name {name} is taken.")
        await _refuse_second(connection, person, row["account"], over=True)
        await spend(connection, person, row["account"], opener=opener)
        return _account(row)


async def _refuse_second(connection: asyncpg.Connection, person: Key, account: int, *, over: bool = False) -> None:
    """Of a professional, suspended ones too, as long as their contract lasts or, with `over`, afterwards too. Of two who open
    at once, the second sees the account of the first."""
    if person.patient:
        return
    await connection.execute("select pg_advisory_xact_lock($1)", person.res)
    held = await connection.fetchval(
        "select exists (select from account where fhir_kind = $1 and fhir_res = $2 and fhir_patient = 0 and account <> $3"
        " and ($4 or ends_at is null or ends_at > now()))",
        person.kind,
        person.res,
        account,
        over,
    )
    if held:
        raise AlreadyHeld(
            "There is one account for each person, and this one has theirs. One that is over is prolonged by its last day."
        )


async def _secrets(name: str, password: str, pin: str) -> tuple[str | None, str | None]:
    if not password and not pin:
        raise AccountProblem("An account needs a password or a PIN.")
    if password and passwords.too_short(password):
        raise AccountProblem(f"A password has at least {passwords.SHORTEST} characters.")
    if password and passwords.too_common(password, name):
        raise AccountProblem("This password is among those that are tried first.")
    if pin and (problem := pin_problem(pin)):
        raise AccountProblem(problem)
    return (await hashed(password) if password else None), (await hashed(pin) if pin else None)


def made_pin() -> str:
    """At random, and none of those that are tried first: nearly three in a thousand are."""
    while pin_problem(pin := f"{secrets.randbelow(10**6):06d}"):
        pass
    return pin


def pin_problem(pin: str) -> str:
    """Why a PIN is not taken, '' when it is: six digits, not one repeated and not a run of them."""
    if _PIN.fullmatch(pin) is None:
        return "A PIN has 6 digits."
    if len(set(pin)) < 3 or pin in "01234567890123456789" or pin in "98765432109876543210":
        return "This PIN is among those that are tried first."
    return ""


async def end_at(connection: asyncpg.Connection, account: int, moment: datetime | None) -> None:
    """The end of a contract, or that it has none. What the account holds open ends with it, at once or when it comes. Raises
    AlreadyHeld, and changes nothing, for one that is over where its owner has another since."""
    before = await by_number(connection, account)
    async with connection.transaction():
        await connection.execute("update account set ends_at = $2 where account = $1", account, moment)
        after = await by_number(connection, account)
        if before is not None and before.over and after is not None and not after.over:
            await _refuse_second(connection, after.person, account)
    # Not now(): that is when the transaction began, and a moment that was read within it is later.
    if await connection.fetchval("select ends_at <= clock_timestamp() from account where account = $1", account):
        await end_account(connection, account)
    else:
        await connection.execute(
            "update access_session set expires_at = least(expires_at, $2) where account = $1 and ended_at is null",
            account,
            moment,
        )


async def set_secret(connection: asyncpg.Connection, username: str, *, password: str = "", pin: str = "") -> bool:
    """Replaces password or PIN (the other stays), unlocks the account, ends all it holds open. False if unknown."""
    kept_password, kept_pin = await _secrets(normal(username), password, pin)
    async with connection.transaction():
        number = await connection.fetchval(
            f"""
            update account set password = coalesce($2, password), pin = coalesce($3, pin), {UNLOCKED}
            where username = $1 returning account
            """,
            normal(username),
            kept_password,
            kept_pin,
        )
        if number is not None:
            await end_account(connection, number)
    return number is not None


async def suspend(connection: asyncpg.Connection, username: str, *, active: bool = False) -> bool:
    """Suspends (or takes up again) an account; all it holds open ends at once. False when there is none."""
    async with connection.transaction():
        number = await connection.fetchval(
            f"update account set active = $2, {UNLOCKED} where username = $1 returning account",
            normal(username),
            active,
        )
        if number is not None:
            await end_account(connection, number)
    return number is not None


async def close_of_record(connection: asyncpg.Connection, patient: int) -> None:
    """In the transaction that erases this patient: whoever signed in to the record no longer can, and their user name,
    which may be the person's own, is gone with what they signed in with."""
    closed = await connection.fetch(
        "update account set active = false, username = 'erased-' || account, password = null, pin = null"
        " where fhir_patient = $1 and fhir_patient <> 0 returning account",
        patient,
    )
    for row in closed:
        await end_account(connection, row["account"])
    await connection.execute("delete from identity_check where fhir_patient = $1 and fhir_patient <> 0", patient)


async def known(connection: "asyncpg.Connection | asyncpg.Pool", person: Key) -> bool:
    """Whether the directory or a record has such a person, now. An id that is well made may be nobody's any more."""
    if person.patient:
        text = "select exists (select from version where patient = $1 and kind = $2 and res = $3 and superseded is null and not deleted)"
        return bool(await connection.fetchval(text, person.patient, person.kind, person.res))
    text = "select exists (select from directory_version where kind = $1 and res = $2 and superseded is null and not deleted)"
    return bool(await connection.fetchval(text, person.kind, person.res))


async def in_force(connection: "asyncpg.Connection | asyncpg.Pool", account: int) -> bool:
    """Whether one may sign in by it now."""
    return bool(await connection.fetchval(f"select true from account a where account = $1 and {IN_FORCE}", account))


async def by_number(connection: "asyncpg.Connection | asyncpg.Pool", number: int) -> Account | None:
    row = await connection.fetchrow(f"select {_COLUMNS} from account a where account = $1", number)
    return None if row is None else _account(row)


async def by_username(connection: "asyncpg.Connection | asyncpg.Pool", username: str) -> Account | None:
    row = await connection.fetchrow(f"select {_COLUMNS} from account a where username = $1", normal(username))
    return None if row is None else _account(row)


async def of_person(connection: "asyncpg.Connection | asyncpg.Pool", person: Key) -> list[Account]:
    """Every account of one person, suspended ones too."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from account a where fhir_kind = $1 and fhir_patient = $2 and fhir_res = $3 order by account",
        person.kind,
        person.patient,
        person.res,
    )
    return [_account(row) for row in rows]


async def without(connection: "asyncpg.Connection | asyncpg.Pool", professionals: Sequence[int]) -> list[int]:
    """Those of these professionals who never had an account, in their order."""
    rows = await connection.fetch(
        "select fhir_res from account where fhir_kind = $1 and fhir_patient = 0 and fhir_res = any ($2::bigint[])",
        kind_of("Practitioner"),
        list(professionals),
    )
    held = {row["fhir_res"] for row in rows}
    return [one for one in professionals if one not in held]


async def every(connection: "asyncpg.Connection | asyncpg.Pool") -> list[Account]:
    """All accounts, suspended ones too, by user name."""
    return [_account(row) for row in await connection.fetch(f"select {_COLUMNS} from account a order by username")]


async def numbered(connection: "asyncpg.Connection | asyncpg.Pool", numbers: Sequence[int]) -> list[Account]:
    """Those accounts, by user name."""
    text = f"select {_COLUMNS} from account a where account = any ($1::bigint[]) order by username"
    return [_account(row) for row in await connection.fetch(text, list(numbers))]


async def find(
    connection: "asyncpg.Connection | asyncpg.Pool",
    words: str,
    professionals: Sequence[int],
    *,
    after: str = "",
    but: Sequence[int] = (),
    most: int,
) -> list[Account]:
    """Accounts by user name, those that come after one: all, or where there are words, those whose user name has them
    and those of these professionals (the directory knows their names)."""
    rows = await connection.fetch(
        f"""
        select {_COLUMNS} from account a
        where a.username > $1 and a.account <> all ($2::bigint[])
          and ($3 = '' or strpos(a.username, $3) > 0 or (a.fhir_kind = $4 and a.fhir_res = any ($5::bigint[])))
        order by a.username limit $6
        """,
        after,
        list(but),
        normal(words),
        kind_of("Practitioner"),
        list(professionals),
        most,
    )
    return [_account(row) for row in rows]
