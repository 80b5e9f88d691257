"""The second factor of a password: a code of the person's authenticator app, or a passkey.

A code works once: its step must be later than the last one taken, in the statement that takes it, so that of two who
send the same code one gets in. Wrong codes slow down as wrong passwords do, and lock at the tenth: whoever gets this far
knows the password, so that nobody else can shut a person out. A locked one is opened by recovery, or by a passkey.
The secret is sealed under the territory's key.
"""

import secrets
from dataclasses import dataclass
from typing import Final

import asyncpg

from liaison.auth.people import totp
from liaison.auth.people.accounts import Account, in_force
from liaison.auth.people.sign_in import FREE, SLOWEST, SignInRefused
from liaison.fhir.vault import Vault, context

LOCKS_AT: Final = 10
_CONTEXT: Final = "totp"
_NOW: Final = "extract(epoch from clock_timestamp())::float8"


@dataclass(frozen=True, slots=True)
class Factors:
    """What an account has beside its password. `any` says whether a password alone is half a sign-in."""

    codes: bool
    passkeys: int

    @property
    def any(self) -> bool:
        return self.codes or self.passkeys > 0


async def factors_of(connection: "asyncpg.Connection | asyncpg.Pool", account: int) -> Factors:
    row = await connection.fetchrow(
        "select exists (select from totp where account = $1 and confirmed_at is not null) as codes,"
        " (select count(*) from passkey where account = $1) as passkeys",
        account,
    )
    return Factors(row["codes"], row["passkeys"])


def _place(account: int) -> bytes:
    return context(_CONTEXT, account)


async def propose(connection: asyncpg.Connection, vault: Vault, account: int) -> None:
    """Makes a secret that counts for nothing until `confirm`. One that is proposed or in use already stays."""
    await connection.execute(
        "insert into totp (account, sealed) values ($1, $2) on conflict (account) do nothing",
        account,
        vault.territory.seal(_place(account), secrets.token_bytes(totp.SECRET_BYTES)),
    )


async def proposed(connection: "asyncpg.Connection | asyncpg.Pool", vault: Vault, account: int) -> bytes | None:
    """The secret to show to its owner. One that is in use is never shown again: None."""
    sealed = await connection.fetchval("select sealed from totp where account = $1 and confirmed_at is null", account)
    return None if sealed is None else vault.territory.open(_place(account), sealed)


async def confirm(connection: asyncpg.Connection, vault: Vault, account: int, code: str) -> bool:
    """Takes the proposed secret into use, once its owner has shown that their app has it."""
    row = await connection.fetchrow(
        f"select sealed, {_NOW} as now from totp where account = $1 and confirmed_at is null for update", account
    )
    if row is None:
        return False
    step = totp.matching_step(vault.territory.open(_place(account), row["sealed"]), code, row["now"])
    if step is None:
        return False
    await connection.execute(
        "update totp set confirmed_at = now(), last_step = $2, failures = 0, locked_until = null where account = $1",
        account,
        step,
    )
    return True


async def forget(connection: asyncpg.Connection, account: int) -> None:
    """Removes the app of an account: it was changed, or is lost."""
    await connection.execute("delete from totp where account = $1", account)


async def check(connection: "asyncpg.Connection | asyncpg.Pool", vault: Vault, account: Account, code: str) -> None:
    """Raises SignInRefused. The attempt is counted before the code is looked at, as for a password."""
    if not await in_force(connection, account.number):
        raise SignInRefused(account.number, account.person.res)
    row = await connection.fetchrow(
        f"""
        update totp set failures = failures + 1,
            locked_until = case
                when failures + 1 >= $2 then 'infinity'
                when failures + 1 > $3 then now() + make_interval(secs => least($4, 5 * 2 ^ (failures - $3)))
            end
        where account = $1 and confirmed_at is not null and coalesce(locked_until, '-infinity') <= now()
        returning sealed, {_NOW} as now
        """,
        account.number,
        LOCKS_AT,
        FREE,
        float(SLOWEST),
    )
    if row is None:
        raise SignInRefused(account.number, account.person.res)
    step = totp.matching_step(vault.territory.open(_place(account.number), row["sealed"]), code, row["now"])
    taken = step is not None and await connection.fetchval(
        "update totp set last_step = $2, failures = 0, locked_until = null where account = $1 and last_step < $2"
        " returning true",
        account.number,
        step,
    )
    if not taken:
        raise SignInRefused(account.number, account.person.res)
