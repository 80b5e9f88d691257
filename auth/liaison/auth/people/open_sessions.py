"""What a person has open: browsers, software, urgent accesses; and ending one of them, at the next request of any worker.

A row is named by its kind and number, as a form or the console sends it back. Whoever ends one says whose it is: another
person's is not found.
"""

from datetime import datetime
from typing import Final, Literal, NamedTuple, get_args

import asyncpg

from liaison.auth.access.purposes import Purpose
from liaison.auth.oauth2.authorizations import held_by
from liaison.auth.people.browsers import IDLE
from liaison.auth.sessions import BROWSER, end_family, end_granted_in, end_session

Kind = Literal["browser", "software", "token", "urgent"]
_KINDS: Final[tuple[str, ...]] = get_args(Kind)


class OpenSession(NamedTuple):
    """`number`: of a session, or of an authorization. `device`: the browser in a few words, or the phone's label; `app`: the
    software's name; '' for none. `organization` 0 for who acts for themselves."""

    kind: Kind
    number: int
    since: datetime
    used: datetime
    until: datetime
    device: str = ""
    app: str = ""

    @property
    def id_(self) -> str:
        return f"{self.kind}.{self.number}"


async def of_account(connection: "asyncpg.Connection | asyncpg.Pool", account: int) -> list[OpenSession]:
    """The most recently used first."""
    browsers = await connection.fetch(
        """
        select s.session, b.opened_at, b.seen_at, s.expires_at, coalesce(p.label, b.device)
        from browser_session b join access_session s on s.session = b.session
        left join phone p on p.phone = b.phone
        where b.account = $1 and b.expires_at > now() and b.seen_at > now() - $2::interval
          and s.ended_at is null and s.expires_at > now()
        """,
        account,
        IDLE,
    )
    given = await held_by(connection, account)
    used = dict(
        await connection.fetch(
            "select family, max(started_at) from access_session where family = any ($1::bigint[]) group by family",
            [one.family for one in given],
        )
    )
    # What stands on no consent of ours: a token that was exchanged, and the accesses to one record for a while.
    alone = await connection.fetch(
        """
        select s.session, s.started_at, s.expires_at, c.name from access_session s left join client c on c.client = s.client
        where s.account = $1 and s.ended_at is null and s.expires_at > now()
          and not coalesce(s.family, 0) = any ($2::bigint[])
          and (c.client is not null or (s.scope = $3 and s.purpose = $4
               and not exists (select from browser_session b where b.session = s.session)))
        """,
        account,
        [one.family for one in given],
        BROWSER,
        int(Purpose.ETREAT),
    )
    found = [
        *(OpenSession("browser", *row) for row in browsers),
        *(
            OpenSession("software", one.family, one.since, used.get(one.family, one.since), one.until, app=one.name)
            for one in given
        ),
        *(
            OpenSession("token" if name else "urgent", session, since, since, until, app=name or "")
            for session, since, until, name in alone
        ),
    ]
    return sorted(found, key=lambda one: one.used, reverse=True)


async def end_one(connection: asyncpg.Connection, account: int, id_: str) -> bool:
    """In a transaction. False for what this account has not open (an urgent access is ended where it was opened)."""
    kind, _, number = id_.partition(".")
    if kind not in _KINDS or not (number.isascii() and number.isdigit() and len(number) < 20):
        return False
    open_now = {one.id_: one for one in await of_account(connection, account)}
    one = open_now.get(id_)
    if one is None or one.kind == "urgent":
        return False
    await _end(connection, one)
    return True


async def end_others(connection: asyncpg.Connection, account: int, session: int) -> int:
    """Everything but this browser session and urgent accesses. How many. In a transaction."""
    others = [
        one
        for one in await of_account(connection, account)
        if one.kind != "urgent" and (one.kind, one.number) != ("browser", session)
    ]
    for one in others:
        await _end(connection, one)
    # Codes on their way would open again what has just been ended.
    await connection.execute(
        "update authorization_code set used_at = now() where (request->>'account')::bigint = $1 and used_at is null",
        account,
    )
    return len(others)


async def _end(connection: asyncpg.Connection, one: OpenSession) -> None:
    if one.kind == "software":
        await end_family(connection, one.number)
        return
    if one.kind == "browser":
        await connection.execute("delete from browser_session where session = $1", one.number)
        await end_granted_in(connection, one.number)
    await end_session(connection, one.number)
