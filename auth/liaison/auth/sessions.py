"""Rows of `access_session`: through them SQL looks up the caller's rights, at each request, by the database's clock.

A token or a browser cookie only names a session. Ending the row ends both, on every worker, at the next request.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import asyncpg

from liaison.auth.caller import Caller
from liaison.auth.smart.scopes import EVERYTHING, read_scopes

BROWSER = "browser"
"""In the column `scope`: a session of our own pages, bounded by the visible set alone."""
KEPT: Final = timedelta(days=1)
"""After its end."""


@dataclass(frozen=True, slots=True)
class Act:
    """In whose name a session acts. Numbers as in liaison.auth.schema; 0 means none."""

    principals: Sequence[int]
    purpose: int
    role_code: str
    account: int = 0
    client: int = 0
    practitioner: int = 0
    role: int = 0
    organization: int = 0
    only_patient: int = 0
    proven: str = ""  # as in Caller


class NoLongerHeld(Exception):
    """The role that a session would act in has ended, or was ended."""


async def open_session(
    connection: asyncpg.Connection,
    act: Act,
    scope: str,
    seconds: int,
    *,
    family: int | None = None,
    subject: int | None = None,
) -> int:
    """The number of a new session. It ends after `seconds`, with the role that it acts in, or with the contract of the
    account, whichever is sooner. It falls with the session `subject`, where its token was exchanged for that one's.

    Raises NoLongerHeld for a role or a contract that is not in force now.
    """
    session = secrets.randbits(63) or 1
    standing = await connection.fetchval(
        """
        insert into access_session (session, principals, purpose, only_patient, account, client, practitioner, role,
                                    organization, role_code, scope, family, subject, proven, acts_for, expires_at)
        values ($1, $2::bigint[], $3, nullif($4::bigint, 0), nullif($5::bigint, 0), nullif($6::bigint, 0),
                nullif($7::bigint, 0), nullif($8::bigint, 0), nullif($9::bigint, 0), $10, $11, $12, $14, $15,
                coalesce((select coalesce((select o.practitioner from held_role o where o.role = h.acts_for limit 1), h.acts_for)
                          from held_role h where h.role = $8 and h.role_code = $10), 0),
                least(now() + make_interval(secs => $13), (select ends_at from account where account = $5),
                      case when $8::bigint <> 0 then coalesce(
                          (select valid_to from held_role
                           where role = $8 and role_code = $10 and active and valid_from <= now()), '-infinity') end))
        returning expires_at > now()
        """,
        session,
        list(act.principals),
        act.purpose,
        act.only_patient,
        act.account,
        act.client,
        act.practitioner,
        act.role,
        act.organization,
        act.role_code,
        scope,
        family,
        float(seconds),
        subject,
        act.proven,
    )
    if not standing:
        await end_session(connection, session)
        raise NoLongerHeld
    return session


async def caller_of(connection: "asyncpg.Connection | asyncpg.Pool", session: int) -> Caller | None:
    """The caller of a session in force; None for one that is unknown, ended or expired."""
    row = await connection.fetchrow(
        """
        select session, purpose, only_patient, account, client, practitioner, role, organization, role_code, scope,
               acts_for, proven
        from access_session where session = $1 and ended_at is null and expires_at > now()
        """,
        session,
    )
    return None if row is None else caller_of_row(row)


async def made_for(connection: "asyncpg.Connection | asyncpg.Pool", session: int) -> Caller | None:
    """The caller for whom a session was made, in force or not: of twenty who come with one code one wins, and is answered,
    although the others have ended what it won by then."""
    row = await connection.fetchrow(
        "select session, purpose, only_patient, account, client, practitioner, role, organization, role_code, scope,"
        " acts_for, proven from access_session where session = $1",
        session,
    )
    return None if row is None else caller_of_row(row)


def caller_of_row(row: Any) -> Caller:
    """A row of `access_session` as the caller it makes."""
    return Caller(
        session=row["session"],
        bound=EVERYTHING if row["scope"] == BROWSER else read_scopes(row["scope"]),
        purpose=row["purpose"],
        role_code=row["role_code"],
        practitioner=row["practitioner"] or 0,
        role=row["role"] or 0,
        organization=row["organization"] or 0,
        account=row["account"] or 0,
        client=row["client"] or 0,
        only_patient=row["only_patient"] or 0,
        acts_for=row["acts_for"],
        proven=row["proven"],
    )


async def is_alive(connection: "asyncpg.Connection | asyncpg.Pool", session: int) -> bool:
    """Whether a session is in force. For an answer that could say 'sign in again' instead of 'nothing here'."""
    alive: bool = await connection.fetchval(
        "select exists (select from access_session where session = $1 and ended_at is null and expires_at > now())",
        session,
    )
    return alive


async def end_session(connection: asyncpg.Connection, session: int) -> None:
    """Ends it, and what its token was exchanged for."""
    await _end(connection, "session = $1", session)


async def _end(connection: asyncpg.Connection, which: str, *given: int) -> None:
    """Ends the sessions that the SQL `which` chooses, then those exchanged for them, and so on. A statement for each link:
    one that has waited for an exchange does not see what that stored, the next one does."""
    ending = "update access_session set ended_at = now() where {} and ended_at is null returning session"
    ended = await connection.fetch(ending.format(which), *given)
    while ended:
        ended = await connection.fetch(ending.format("subject = any ($1::bigint[])"), [row["session"] for row in ended])


async def end_tokens(connection: "asyncpg.Connection | asyncpg.Pool") -> None:
    """Ends what every access token opened. Refresh tokens stay: they are not signed, so no key tells anything of them."""
    await connection.execute(
        "update access_session set ended_at = now() where scope <> $1 and ended_at is null", BROWSER
    )


async def end_family(connection: asyncpg.Connection, family: int) -> None:
    """Ends everything that one authorization gave: its sessions and its refresh tokens."""
    await connection.execute(
        "update refresh_token set revoked_at = now() where family = $1 and revoked_at is null", family
    )
    await _end(connection, "family = $1", family)


async def end_granted_in(connection: asyncpg.Connection, session: int) -> None:
    """Ends what software was given in this browser session, save what is for offline use (SMART: offline_access).

    A code's row outlives by a day the 4 hours that a browser session may last, and every family begins with one.
    """
    families = await connection.fetch(
        """
        select distinct family from authorization_code
        where (request->>'browser')::bigint = $1 and not 'offline_access' = any (string_to_array(request->>'scope', ' '))
        """,
        session,
    )
    for (family,) in families:
        await end_family(connection, family)
    await connection.execute(
        """
        update authorization_code set used_at = now()
        where family = any ($1::bigint[]) and used_at is null
        """,
        [family for (family,) in families],
    )


async def end_account(connection: asyncpg.Connection, account: int) -> None:
    """Ends everything a person holds open: browsers, tokens, refresh tokens, and what a browser is in the middle of. What is
    issued later is not touched."""
    await connection.execute("update account set not_before = now() where account = $1", account)
    await connection.execute("delete from ceremony where account = $1", account)
    await connection.execute("delete from browser_session where account = $1", account)
    await connection.execute(
        "update authorization_code set used_at = now() where (request->>'account')::bigint = $1 and used_at is null",
        account,
    )
    await connection.execute(
        "update refresh_token set revoked_at = now() where (request->>'account')::bigint = $1 and revoked_at is null",
        account,
    )
    await _end(connection, "account = $1", account)


async def end_client_at(connection: asyncpg.Connection, client: int, organization: int) -> None:
    """Ends everything a client holds open for the people of one organisation (0: those who act for themselves)."""
    await connection.execute(
        "update refresh_token set revoked_at = now() where (request->>'client')::bigint = $1"
        " and (request->'act'->>'organization')::bigint = $2 and revoked_at is null",
        client,
        organization,
    )
    await connection.execute(
        "update authorization_code set used_at = now() where (request->>'client')::bigint = $1"
        " and (request->'act'->>'organization')::bigint = $2 and used_at is null",
        client,
        organization,
    )
    await _end(connection, "client = $1 and coalesce(organization, 0) = $2", client, organization)


async def end_client(connection: asyncpg.Connection, client: int) -> None:
    """Ends everything a client holds open, and the codes on their way to it."""
    await connection.execute(
        "update refresh_token set revoked_at = now() where (request->>'client')::bigint = $1 and revoked_at is null",
        client,
    )
    await connection.execute(
        "update authorization_code set used_at = now() where (request->>'client')::bigint = $1 and used_at is null",
        client,
    )
    await _end(connection, "client = $1", client)


async def sweep(connection: asyncpg.Connection) -> None:
    """Removes sessions a day after their end: the journal itself says who opened what, so nothing is attributed by these rows.

    Of an app that may still ask for tokens the latest stays: it says when the app was last used (people.open_sessions)."""
    await connection.execute(
        """
        delete from access_session s
        where least(s.ended_at, s.expires_at) < now() - $1::interval
          and not (exists (select from refresh_token r where r.family = s.family)
                   and not exists (select from access_session l where l.family = s.family and l.started_at > s.started_at))
        """,
        KEPT,
    )
