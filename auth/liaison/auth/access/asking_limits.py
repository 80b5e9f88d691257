"""How many questions about identities one may ask in an hour: their answers say whether someone is known.

Three accounts, so that one kind of work never stops another:

* `LOOKUP`: `$lookup`, `$join`, `$identify`. Failing is guessing.
* `DESK`: `$register`, by which a newcomer's record is opened: a practice's list of a thousand people in an hour, and no
  more. Someone whom the caller sees already is not counted.
* `URGENT`: emergency access and the calls of the platform. No list and no desk uses it up.

Those who act for one professional (a secretary, a trainee, a substitute) have limits of their own, and together three times
as many: more accounts are not more guesses.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from math import ceil
from typing import Final

import asyncpg

from liaison.auth.caller import Caller
from liaison.fhir.errors import TooManyRequests
from liaison.fhir.store.database import Database

WINDOW: Final = timedelta(hours=1)
TOGETHER: Final = 3
"""How many times one person's limit holds for all who act for one professional, and the professional."""


class Account(IntEnum):
    """Stored: never renumbered."""

    LOOKUP = 0
    DESK = 1
    URGENT = 2


@dataclass(frozen=True, slots=True)
class Limit:
    """In an hour, of one person or client."""

    questions: int
    failures: int


LIMITS: Final = {
    Account.LOOKUP: Limit(60, 10),
    Account.DESK: Limit(1200, 1200),
    Account.URGENT: Limit(60, 10),
}

_ANSWERABLE: Final = """
    select coalesce(other.practitioner, mine.acts_for) from held_role mine
    left join held_role other on other.role = mine.acts_for
    where mine.role = $1 and mine.acts_for <> 0 order by 1 limit 1
"""
# The newest question that fills a limit: until it is an hour old, there is no room.
_FULL: Final = """
    select ceil(extract(epoch from max(full_since.at) + $4::interval - clock_timestamp()))::integer from (
        (select at from identity_attempt where asker = $1 and account = $3 and at > clock_timestamp() - $4::interval
         order by at desc offset $5 - 1 limit 1)
        union all
        (select at from identity_attempt where asker = $1 and account = $3 and at > clock_timestamp() - $4::interval
         and not found order by at desc offset $6 - 1 limit 1)
        union all
        (select at from identity_attempt where answerable = $2 and account = $3 and at > clock_timestamp() - $4::interval
         order by at desc offset $5 * $7 - 1 limit 1)
        union all
        (select at from identity_attempt where answerable = $2 and account = $3 and at > clock_timestamp() - $4::interval
         and not found order by at desc offset $6 * $7 - 1 limit 1)
    ) full_since
"""


@dataclass(frozen=True, slots=True)
class Asker:
    """`number` asks, a person or a client; `answerable` is whom they act for, or themselves."""

    number: int
    answerable: int
    account: Account


async def asker_of(database: Database, caller: Caller, account: Account) -> Asker:
    """`number` is 0 for a caller who is nobody."""
    number = caller.practitioner or caller.client
    answerable = await database.reading.fetchval(_ANSWERABLE, caller.role) if caller.role else None
    return Asker(number, answerable or number, account)


async def require_room(database: Database, asker: Asker) -> None:
    """Raises TooManyRequests, which says when to come back, for an account that is full."""
    limit = LIMITS[asker.account]
    seconds = await database.reading.fetchval(
        _FULL,
        asker.number,
        asker.answerable,
        asker.account,
        WINDOW,
        limit.questions,
        limit.failures,
        TOGETHER,
    )
    if seconds is not None:
        minutes = max(1, ceil(seconds / 60))
        raise TooManyRequests(
            f"Too many look-ups by identity in an hour: possible again in {minutes} min. Ask a colleague or the"
            " coordination.",
            retry_after=max(1, seconds),
        )


async def count(database: Database, asker: Asker, *, found: bool) -> None:
    await database.writing.execute(
        "insert into identity_attempt (asker, answerable, account, found) values ($1, $2, $3, $4)",
        asker.number,
        asker.answerable,
        asker.account,
        found,
    )


async def sweep(connection: "asyncpg.Connection | asyncpg.Pool") -> None:
    """Removes what no limit counts any more."""
    await connection.execute("delete from identity_attempt where at < clock_timestamp() - $1::interval", WINDOW)
