"""Which ways in an account has: what a list of accounts shows of each, and what decides whether a new link may be given.

A link chooses a secret: given for an account that has one, it would be a recovery by one person alone. An account that
Pro Santé Connect stands behind has none here, and gets none: a secret of our own would go round the exercices.
"""

from typing import Final, NamedTuple

import asyncpg

from liaison.auth.people import invitations
from liaison.auth.people.accounts import Account

ELSEWHERE: Final = "psc-"
"""How the name of an account begins that Pro Santé Connect has opened."""


class Ways(NamedTuple):
    """`invited`: a link or first code is out, and still good."""

    password: bool = False
    pin: bool = False
    passkeys: int = 0
    codes: bool = False
    invited: bool = False

    @property
    def any(self) -> bool:
        return self.password or self.pin or self.passkeys > 0


_WAYS: Final = """
    select a.account, a.password is not null as password, a.pin is not null as pin,
           (select count(*) from passkey p where p.account = a.account) as passkeys,
           exists (select from totp t where t.account = a.account and t.confirmed_at is not null) as codes,
           exists (select from first_access f where f.account = a.account and f.expires_at > now())
           or exists (select from first_code c where c.account = a.account and c.expires_at > now()) as invited
    from account a
"""


async def of_all(connection: "asyncpg.Connection | asyncpg.Pool") -> dict[int, Ways]:
    """By number of the account."""
    return {row["account"]: Ways(*list(row)[1:]) for row in await connection.fetch(_WAYS)}


async def of(connection: "asyncpg.Connection | asyncpg.Pool", account: int) -> Ways:
    row = await connection.fetchrow(f"{_WAYS} where a.account = $1", account)
    return Ways() if row is None else Ways(*list(row)[1:])


class NoLink(ValueError):
    """A link is not to be given. `why` is 'suspended', 'over', 'elsewhere' or 'used'."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


async def link_again(connection: asyncpg.Connection, account: Account) -> str:
    """The token of a new one-time link, in a transaction, for someone who has not chosen a secret yet. The earlier link
    ends. Raises NoLink."""
    # Locked: the owner may be choosing a secret by the earlier link at this moment.
    await connection.execute("select from account where account = $1 for update", account.number)
    for why, holds in (
        ("suspended", not account.active),
        ("over", account.over),
        ("elsewhere", account.username.startswith(ELSEWHERE)),
        ("used", (await of(connection, account.number)).any),
    ):
        if holds:
            raise NoLink(why)
    return await invitations.invite(connection, account.number)
