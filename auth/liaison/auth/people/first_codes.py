"""The eight digits with which an aide chooses her first PIN, or a new one: printed or spoken, good for a day and once.

They count only on a phone of the service, and five wrong ones end them: eight digits would not stand more.
"""

import secrets
from datetime import timedelta
from typing import Final

import asyncpg

from liaison.auth.people.accounts import IN_FORCE, Account, by_number, normal
from liaison.auth.people.hashes import hashed, matches
from liaison.auth.people.sign_in import SignInRefused

LASTS: Final = timedelta(hours=24)
DIGITS: Final = 8
TRIES: Final = 5


async def give(connection: asyncpg.Connection, account: int) -> str:
    """A new code, shown once; kept as Argon2id. An earlier one of the account ends."""
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    await connection.execute(
        "insert into first_code (account, code, expires_at) values ($1, $2, now() + $3) on conflict (account)"
        " do update set code = excluded.code, expires_at = excluded.expires_at, tries = 0",
        account,
        await hashed(code),
        LASTS,
    )
    return code


async def check(connection: "asyncpg.Connection | asyncpg.Pool", username: str, code: str, *, here: bool) -> Account:
    """Whose code it is. Raises SignInRefused. The attempt is counted before the code is looked at.

    `here`: on a phone of a service where that person works. On another it is neither looked at nor counted: nobody ends
    the code of another service's aide."""
    row = await connection.fetchrow(
        "update first_code f set tries = tries + 1 from account a where a.account = f.account and a.username = $1"
        f" and {IN_FORCE} and f.expires_at > now() and f.tries < $2 and $3"
        " returning f.account, f.code, a.fhir_res",
        normal(username),
        TRIES,
        here,
    )
    if not await matches(code.replace(" ", ""), row["code"] if row else None):
        raise SignInRefused(*((row["account"], row["fhir_res"]) if row else ()))
    account = await by_number(connection, row["account"])
    if account is None:
        raise SignInRefused
    return account


async def spend(connection: asyncpg.Connection, account: int) -> bool:
    """Ends it, in the transaction that sets the PIN. Of two who come with it at once, one sets theirs."""
    return bool(await connection.fetchval("delete from first_code where account = $1 returning true", account))
