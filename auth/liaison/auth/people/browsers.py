"""Browser sessions. The cookie is a random secret kept as SHA-256; the row is read at each request, so that ending it
works at once on every worker. Four hours at most, half an hour when left alone, and no longer than the role acted in.
"""

import hmac
import json
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from liaison.auth.caller import Caller
from liaison.auth.digests import digest
from liaison.auth.people.accounts import IN_FORCE, Account
from liaison.auth.people.acting import as_oneself, choosing, in_role, represents
from liaison.auth.people.roles import HeldRole
from liaison.auth.sessions import BROWSER, Act, caller_of_row, end_granted_in, end_session, open_session
from liaison.fhir.store.contract import Key
from liaison.fhir.vault import context

LIFETIME: Final = 4 * 3600
CHOOSING: Final = 900
RECENT: Final = timedelta(minutes=30)
"""How old the proof of who someone is may be for an act that asks for a recent one: emergency access, exports, keys,
rights. Of two factors, where the account has two."""
IDLE: Final = timedelta(minutes=30)
ELSEWHERE: Final = context("id_token of a sign-in elsewhere")
"""Under what the provider's token is sealed."""
_SEEN_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Of a sign-in that Pro Santé Connect has vouched for: the roles that the exercices stand behind, the session there
    ('' when it said none), its id_token, sealed, and when the person was asked who they are: our four hours, and what
    counts as recent, begin then. `exercices`: what was said of them, sealed, to be shown. `issuer` and `acr`: who vouched,
    and how far."""

    roles: frozenset[str]
    session: str
    token: bytes
    proven_at: datetime
    exercices: bytes = b""
    issuer: str = ""
    acr: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """Where a session is opened, for its owner to know it by: people.devices, and the number of an enrolled phone."""

    words: str = ""
    phone: int = 0


UNKNOWN: Final = Device()
HERE: Final = "liaison"


def _proven(factors: int, elsewhere: Elsewhere | None) -> str:
    return f"{elsewhere.issuer} {elsewhere.acr}" if elsewhere else f"{HERE} {factors}"


@dataclass(frozen=True, slots=True)
class Browser:
    """A live browser session. `caller.role_code` is '' until a role is chosen.

    `started_at` is when the secret was last proven, which choosing a role does not make younger, and `factors` how many
    were; `recent` says, by the database's clock, whether that is less than RECENT ago, and with the second factor where
    the account has one. `unseen`: for a minute or more nobody has written down that it is used.
    `attested`: the roles that a sign-in elsewhere stands behind; None for a sign-in here.
    """

    account: Account
    caller: Caller
    csrf: str
    started_at: datetime
    expires_at: datetime
    recent: bool
    factors: int
    unseen: bool
    attested: frozenset[str] | None

    def csrf_matches(self, given: str) -> bool:
        """Whether a form carries this session's token, compared in constant time."""
        return hmac.compare_digest(self.csrf.encode(), given.encode("utf-8", "surrogatepass"))


async def begin(
    connection: asyncpg.Connection,
    account: Account,
    *,
    factors: int = 1,
    alone: bool = False,
    elsewhere: Elsewhere | None = None,
    leaving: str = "",
    device: Device = UNKNOWN,
) -> str:
    """A new cookie for someone who has just proven who they are. Never the cookie they came with (`leaving`), which
    ends: a cookie planted before sign-in is worth nothing after it.

    `alone`: one factor is not enough here, and the session has no principal until the second one is set up.
    """
    async with connection.transaction():
        if leaving:
            await end(connection, leaving)
        act = None if alone else as_oneself(account, representing=await represents(connection, account))
        proven = _proven(factors, elsewhere)
        if act is not None:
            act = replace(act, proven=proven)
            return await _insert(connection, act, LIFETIME, factors=factors, elsewhere=elsewhere, device=device)
        act = replace(choosing(account), proven=proven)
        return await _insert(connection, act, CHOOSING, factors=factors, elsewhere=elsewhere, device=device)


async def choose(connection: asyncpg.Connection, cookie: str, account: Account, role: HeldRole) -> str:
    """A new cookie, in a role, for what is left of the four hours. Raises sessions.NoLongerHeld. The former cookie and
    its session end."""
    async with connection.transaction():
        # Counted from the proof, or a cookie would live for ever by choosing again and again.
        before = await connection.fetchrow(
            "select extract(epoch from now() - b.started_at)::float8 as since, s.proven"
            " from browser_session b join access_session s on s.session = b.session where b.token = $1",
            digest(cookie),
        )
        left = max(0, LIFETIME - int(before["since"] if before else 0))
        act = replace(in_role(account, role), proven=before["proven"] if before else "")
        made = await _insert(connection, act, left, leaving=cookie)
        await end(connection, cookie)
        return made


async def prove_again(connection: asyncpg.Connection, cookie: str, *, factors: int = 1) -> str:
    """A new cookie for the same session, whose owner has just proven who they are once more. It lasts no longer."""
    made = secrets.token_urlsafe(32)
    await connection.execute(
        "update browser_session set token = $2, started_at = now(), seen_at = now(), factors = greatest(factors, $3)"
        " where token = $1",
        digest(cookie),
        digest(made),
        factors,
    )
    await connection.execute(
        "update access_session set proven = $2 || ' ' || b.factors from browser_session b"
        " where b.token = $1 and access_session.session = b.session and access_session.proven like $2 || ' %'",
        digest(made),
        HERE,
    )
    return made


async def seen(connection: "asyncpg.Connection | asyncpg.Pool", cookie: str) -> None:
    """Says that a browser session is used."""
    await connection.execute("update browser_session set seen_at = now() where token = $1", digest(cookie))


async def _insert(
    connection: asyncpg.Connection,
    act: Act,
    seconds: int,
    *,
    factors: int = 1,
    elsewhere: Elsewhere | None = None,
    leaving: str = "",
    device: Device = UNKNOWN,
) -> str:
    session = await open_session(connection, act, BROWSER, seconds)
    cookie = secrets.token_urlsafe(32)
    await connection.execute(
        """
        insert into browser_session (token, account, session, csrf, started_at, factors, expires_at,
                                     attested, provider_session, provider_token, device, phone, opened_at, exercices)
        select $1, $2, $3, $4, coalesce(b.started_at, least(now(), $7::timestamptz)), coalesce(b.factors, $6),
               s.expires_at, coalesce(b.attested, to_jsonb($8::text[])), coalesce(b.provider_session, $9),
               coalesce(b.provider_token, $10), coalesce(b.device, $11), coalesce(b.phone, nullif($12::bigint, 0)),
               coalesce(b.opened_at, now()), coalesce(b.exercices, $13)
        from access_session s left join browser_session b on b.token = $5 where s.session = $3
        """,
        digest(cookie),
        act.account,
        session,
        secrets.token_bytes(32),
        digest(leaving),
        factors,
        elsewhere.proven_at if elsewhere else None,
        sorted(elsewhere.roles) if elsewhere else None,
        digest(elsewhere.session) if elsewhere and elsewhere.session else None,
        elsewhere.token if elsewhere else None,
        device.words,
        device.phone,
        elsewhere.exercices if elsewhere and elsewhere.exercices else None,
    )
    return cookie


async def find(connection: "asyncpg.Connection | asyncpg.Pool", cookie: str) -> Browser | None:
    """The live session of a cookie; None for one that is unknown, expired or ended, or whose account is suspended."""
    row = await connection.fetchrow(
        f"""
        select b.csrf, b.started_at as began, s.expires_at, b.factors, b.attested, b.seen_at < now() - $4::interval as unseen,
               b.started_at > now() - $2::interval and (b.factors > 1 or not (
                   exists (select from totp t where t.account = a.account and t.confirmed_at is not null)
                   or exists (select from passkey p where p.account = a.account))) as recent,
               a.username, a.fhir_kind, a.fhir_patient, a.fhir_res,
               s.session, s.purpose, s.only_patient, s.account, s.client, s.practitioner, s.role, s.organization,
               s.role_code, s.scope, s.acts_for, s.proven
        from browser_session b
        join access_session s on s.session = b.session
        join account a on a.account = b.account and {IN_FORCE}
        where b.token = $1 and b.expires_at > now() and b.seen_at > now() - $3::interval
          and s.ended_at is null and s.expires_at > now()
          and (a.not_before is null or a.not_before <= s.started_at)
        """,
        digest(cookie),
        RECENT,
        IDLE,
        _SEEN_EVERY,
    )
    if row is None:
        return None
    person = Key(row["fhir_patient"], row["fhir_kind"], row["fhir_res"])
    return Browser(
        account=Account(row["account"], row["username"], person),
        caller=caller_of_row(row),
        csrf=_text(row["csrf"]),
        started_at=row["began"],
        expires_at=row["expires_at"],
        recent=row["recent"],
        factors=row["factors"],
        unseen=row["unseen"],
        attested=None if row["attested"] is None else frozenset(json.loads(row["attested"])),
    )


async def owner_of_form(connection: "asyncpg.Connection | asyncpg.Pool", cookie: str, given: str) -> int | None:
    """The account whose session, over by now, gave this browser a form with the token `given`; None when none did.

    Says nothing of any right: what is over stays over.
    """
    row = await connection.fetchrow("select account, csrf from browser_session where token = $1", digest(cookie))
    if row is None or not hmac.compare_digest(_text(row["csrf"]).encode(), given.encode("utf-8", "surrogatepass")):
        return None
    account: int = row["account"]
    return account


async def end(connection: asyncpg.Connection, cookie: str) -> None:
    """Signs this browser out. Software keeps what it was given for offline use, no more: `end_account` ends all."""
    session = await connection.fetchval(
        "delete from browser_session where token = $1 returning session", digest(cookie)
    )
    if session is not None:
        await end_session(connection, session)
        await end_granted_in(connection, session)


async def token_elsewhere(connection: "asyncpg.Connection | asyncpg.Pool", cookie: str) -> bytes | None:
    """The sealed id_token of a session that was proven elsewhere, to sign out there too."""
    token: bytes | None = await connection.fetchval(
        "select provider_token from browser_session where token = $1", digest(cookie)
    )
    return token


async def exercices_elsewhere(connection: "asyncpg.Connection | asyncpg.Pool", cookie: str) -> bytes | None:
    """What was said of the exercices of a session that was proven elsewhere, sealed."""
    kept: bytes | None = await connection.fetchval(
        "select exercices from browser_session where token = $1", digest(cookie)
    )
    return kept


async def end_elsewhere(connection: asyncpg.Connection, session: str) -> list[tuple[int, int]]:
    """Ends every session that came of one sign-in elsewhere, as `end` does. (account, person) of each."""
    rows = await connection.fetch(
        "delete from browser_session b using account a where b.provider_session = $1 and a.account = b.account"
        " returning b.session, a.account, a.fhir_res",
        digest(session),
    )
    for row in rows:
        await end_session(connection, row["session"])
        await end_granted_in(connection, row["session"])
    return [(row["account"], row["fhir_res"]) for row in rows]


async def end_on_phone(connection: asyncpg.Connection, phone: int) -> None:
    """Signs out whoever is signed in on an enrolled phone."""
    for row in await connection.fetch("delete from browser_session where phone = $1 returning session", phone):
        await end_session(connection, row["session"])
        await end_granted_in(connection, row["session"])


def _text(csrf: bytes) -> str:
    return urlsafe_b64encode(csrf).rstrip(b"=").decode()
