"""A name and a secret become an account. Guessing is slow, and every refusal is one and the same.

The attempt is counted before the secret is looked at, in one statement, so that attempts side by side cannot outrun the
count. Passwords slow down from the fifth failure on (5 s, doubling, 15 min at most) and never lock for good: that would
let anyone shut a clinician out. PINs lock at the tenth, for a day or until a manager sets a new one: they are short, and
work only on an enrolled phone. Each has its own count: guessing at one never locks the other.
"""

from typing import Any, Final

from liaison.auth.people.accounts import IN_FORCE, Account, by_number, normal
from liaison.auth.people.hashes import matches
from liaison.fhir.store.database import Database

FREE: Final = 4
SLOWEST: Final = 900
PIN_LOCKS_AT: Final = 10
PIN_LOCKED_FOR: Final = 24 * 3600


_COUNTED: Final = {"password": ("failures", "locked_until"), "pin": ("pin_failures", "pin_locked_until")}
"""The columns in which wrong ones are counted."""


class SignInRefused(Exception):
    """Wrong name, wrong secret, suspended, or too many attempts: never said which. `account` is for the journal only,
    0 when there is none."""

    def __init__(self, account: int = 0, person: int = 0) -> None:
        self.account = account
        self.person = person
        super().__init__("The user name or the secret is not right, or there were too many attempts.")


def looks_like_pin(secret: str) -> bool:
    """Six digits: no password is that short."""
    return len(secret) == 6 and secret.isdigit()


async def sign_in(database: Database, username: str, secret: str, *, on_enrolled_phone: bool) -> Account:
    """Raises SignInRefused. A PIN is looked at only on an enrolled phone, which is the other factor."""
    with_pin = on_enrolled_phone and looks_like_pin(secret)
    kind = "pin" if with_pin else "password"
    failures, locked_until = _COUNTED[kind]
    row = await database.writing.fetchrow(
        f"""
        update account a set {failures} = {failures} + 1,
            {locked_until} = case
                when $2 and {failures} + 1 >= $3 then now() + make_interval(secs => $6)
                when {failures} + 1 > $4
                    then now() + make_interval(secs => least($5, 5 * 2 ^ least({failures} - $4, 20)))
            end
        where username = $1 and {IN_FORCE}
          and coalesce({locked_until}, '-infinity') <= now()
        returning account, fhir_res, password, pin
        """,
        normal(username),
        with_pin,
        PIN_LOCKS_AT,
        FREE,
        float(SLOWEST),
        float(PIN_LOCKED_FOR),
    )
    kept: Any = None if row is None else row[kind]
    if not await matches(secret, kept):
        raise SignInRefused(*((row["account"], row["fhir_res"]) if row else ()))
    await database.writing.execute(
        f"update account set {failures} = 0, {locked_until} = null where account = $1", row["account"]
    )
    account = await by_number(database.reading, row["account"])
    if account is None or not account.active:
        raise SignInRefused
    return account
