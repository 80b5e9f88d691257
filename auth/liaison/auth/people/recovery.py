"""Getting back in for someone who has lost every factor: two administrators together, or one at the console with the
sealed code, where there is nobody else.

One asks, another grants, both with a recent proof; neither is the person concerned, and two accounts of one person are one.
What is granted is a one-time link: old secrets, passkeys and the app are gone with it, and all that was open is closed.
An account that Pro Santé Connect opened gets none: whoever lost their card or their e-CPS is helped there.
Each stays on a list that the data protection officer reads and signs off.
"""

import secrets
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import asyncpg

from liaison.auth.people import invitations, notices
from liaison.auth.people.accounts import IN_FORCE, UNLOCKED, Account
from liaison.auth.people.hashes import hashed, matches
from liaison.auth.people.notices import Kind
from liaison.auth.people.ways_in import ELSEWHERE
from liaison.auth.sessions import end_account
from liaison.fhir.definitions import kind_of

LASTS: Final = timedelta(hours=24)
_ALPHABET: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_GROUPS: Final = 6
ENVELOPE_TRIES: Final = 5
_ADMINISTERS: Final = (
    f"({IN_FORCE} and a.fhir_kind = {kind_of('Practitioner')} and exists (select from held_role h"
    " where h.practitioner = a.fhir_res and h.role_code = 'admin' and h.active"
    " and h.valid_from <= now() and h.valid_to > now()))"
)
"""SQL: whether the person of the account `a` could act as administrator now."""


class RecoveryProblem(ValueError):
    """It is not to be had this way. The text says why, and holds no secret."""


class SignsInElsewhere(RecoveryProblem):
    """Pro Santé Connect stands behind the account: a secret of our own would go round the exercices."""

    def __init__(self) -> None:
        super().__init__("This account signs in through Pro Santé Connect: it has no secret here, and gets none.")


def _only_of_ours(account: Account) -> None:
    if account.username.startswith(ELSEWHERE):
        raise SignsInElsewhere


class Granted(NamedTuple):
    """One that was granted. `granted_by` 0: at the console, with the sealed code."""

    number: int
    account: int
    asked_by: int
    granted_by: int
    granted_at: datetime
    read_at: datetime | None


async def ask(connection: asyncpg.Connection, account: Account, by: Account) -> None:
    """The first administrator's word. Raises RecoveryProblem. Lasts a day."""
    _only_of_ours(account)
    if account.person == by.person:
        raise RecoveryProblem("Nobody asks for themselves.")
    await connection.execute("delete from recovery where account = $1 and granted_at is null", account.number)
    await connection.execute(
        "insert into recovery (recovery, account, asked_by, expires_at) values ($1, $2, $3, now() + $4)",
        secrets.randbits(62) or 1,
        account.number,
        by.number,
        LASTS,
    )


async def asked(connection: "asyncpg.Connection | asyncpg.Pool") -> dict[int, int]:
    """What waits for a second administrator: account → who asked."""
    rows = await connection.fetch(
        "select account, asked_by from recovery where granted_at is null and expires_at > now()"
    )
    return {row["account"]: row["asked_by"] for row in rows}


async def grant(connection: asyncpg.Connection, account: Account, by: Account) -> str:
    """The second one's word, in a transaction. The token of a one-time link. Raises RecoveryProblem, also when the first
    one is no administrator any more."""
    _only_of_ours(account)
    done = account.person != by.person and await connection.fetchval(
        f"""
        update recovery r set granted_by = $2, granted_at = now() from account a
        where r.account = $1 and r.granted_at is null and r.expires_at > now()
          and a.account = r.asked_by and {_ADMINISTERS}
          and (a.fhir_kind, a.fhir_patient, a.fhir_res) <> ($3, $4, $5)
        returning recovery
        """,
        account.number,
        by.number,
        by.person.kind,
        by.person.patient,
        by.person.res,
    )
    if not done:
        raise RecoveryProblem("Two administrators are needed, and neither is the person concerned.")
    await notices.tell(connection, Kind.RECOVERY, done)
    return await _anew(connection, account.number)


async def _anew(connection: asyncpg.Connection, account: int) -> str:
    # First: a key that is being added at this moment is waited for, and goes with the others.
    await end_account(connection, account)
    await connection.execute("delete from passkey where account = $1", account)
    await connection.execute("delete from totp where account = $1", account)
    await connection.execute(f"update account set password = null, pin = null, {UNLOCKED} where account = $1", account)
    return await invitations.invite(connection, account)


async def granted(connection: "asyncpg.Connection | asyncpg.Pool") -> list[Granted]:
    """Every one, those that nobody has read first."""
    rows = await connection.fetch(
        "select recovery, account, asked_by, coalesce(granted_by, 0), granted_at, read_at from recovery"
        " where granted_at is not null order by read_at is not null, granted_at desc limit 200"
    )
    return [Granted(*row) for row in rows]


async def sign_off(connection: asyncpg.Connection, number: int) -> bool:
    """The data protection officer has read it."""
    await notices.read(connection, Kind.RECOVERY, number)
    return bool(
        await connection.fetchval(
            "update recovery set read_at = now() where recovery = $1 and granted_at is not null and read_at is null"
            " returning true",
            number,
        )
    )


# ---- the sealed code ----------------------------------------------------------------------------------------------


async def seal(connection: asyncpg.Connection) -> str:
    """A new sealed code, shown once, to be printed and kept in an envelope. The earlier one ends."""
    groups = ["".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(_GROUPS)]
    code = "-".join(groups)
    await connection.execute(
        "insert into sealed_code (sealed_code, code) values (0, $1) on conflict (sealed_code) do update"
        " set code = excluded.code, made_at = now(), tries = 0",
        await hashed(code),
    )
    await notices.tell(connection, Kind.SEALED)
    return code


async def administrators(connection: "asyncpg.Connection | asyncpg.Pool", *, but: Account) -> int:
    """How many other people could act as administrators now."""
    found: int = await connection.fetchval(
        f"select count(distinct a.fhir_res) from account a where {_ADMINISTERS} and a.fhir_res <> $1", but.person.res
    )
    return found


async def administers(connection: "asyncpg.Connection | asyncpg.Pool", account: Account) -> bool:
    """Whether this account's person could act as administrator now."""
    return bool(
        await connection.fetchval(
            f"select exists (select from account a where a.account = $1 and {_ADMINISTERS})", account.number
        )
    )


async def open_envelope(connection: "asyncpg.Connection | asyncpg.Pool", account: Account, code: str) -> None:
    """Looks at the sealed code. Counted before that, so never within a transaction that a refusal would undo.

    Raises RecoveryProblem, also where two administrators could do it, and after five wrong ones, until a new one is sealed.
    """
    _only_of_ours(account)
    if await administrators(connection, but=account) >= 2:
        raise RecoveryProblem("There are two other administrators: one asks for it in the pages, the other grants it.")
    kept = await connection.fetchval(
        "update sealed_code set tries = tries + 1 where tries < $1 returning code", ENVELOPE_TRIES
    )
    if not await matches(_as_printed(code), kept):
        raise RecoveryProblem("This is not the sealed code, or it was used, or too many were tried.")


def _as_printed(code: str) -> str:
    """What was typed from paper, with the hyphens of the print: small letters, spaces or no hyphens are no wrong code."""
    signs = "".join(one for one in code.upper() if one in _ALPHABET)
    return "-".join(signs[at : at + 4] for at in range(0, len(signs), 4))


async def at_the_console(connection: asyncpg.Connection, account: Account) -> str:
    """After `open_envelope`, in a transaction: the code is spent, and the token of a one-time link."""
    _only_of_ours(account)
    await connection.execute("delete from sealed_code")
    number = secrets.randbits(62) or 1
    await connection.execute(
        "insert into recovery (recovery, account, asked_by, expires_at, granted_at) values ($1, $2, 0, now(), now())",
        number,
        account.number,
    )
    await notices.tell(connection, Kind.RECOVERY, number)
    return await _anew(connection, account.number)
