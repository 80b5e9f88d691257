"""What a person has authorised, app by app, and taking it back: by the person, at once, on every worker."""

from datetime import datetime, timedelta
from typing import NamedTuple

import asyncpg

from liaison.auth.oauth2.rfc6749.grant import Grant
from liaison.auth.oauth2.rfc6749.refresh_tokens import lifetime
from liaison.auth.sessions import end_family
from liaison.auth.smart.scopes import Scopes, read_scopes


class Authorization(NamedTuple):
    """One consent that can still be used. `patient` is the FHIR id in context, or ''."""

    family: int
    client: int
    name: str
    scopes: Scopes
    patient: str
    since: datetime
    until: datetime


async def held_by(connection: "asyncpg.Connection | asyncpg.Pool", account: int) -> list[Authorization]:
    """By the name of the app, then the newest first. One whose token has five minutes left is in it."""
    rows = await connection.fetch(
        """
        select t.family, t.request, t.expires_at, false as short, c.client, c.name
        from refresh_token t join client c on c.client = (t.request->>'client')::bigint and c.active
        where (t.request->>'account')::bigint = $1 and t.used_at is null and t.revoked_at is null and t.expires_at > now()
        union all
        select s.family, a.request, s.expires_at, true, c.client, c.name
        from access_session s
        join authorization_code a on a.family = s.family
        join client c on c.client = s.client and c.active
        where s.account = $1 and s.ended_at is null and s.expires_at > now()
          and not exists (select from refresh_token r where r.family = s.family)
        """,
        account,
    )
    found: dict[int, Authorization] = {}
    for family, request, until, short, client, name in rows:
        grant = Grant.read(request)
        since = until - timedelta(seconds=300 if short else lifetime(grant.scope))
        kept = found.get(family)
        if kept is None or kept.until < until:
            found[family] = Authorization(
                family, client, name, read_scopes(grant.scope), grant.context.patient, since, until
            )
    newest_first = sorted(found.values(), key=lambda one: one.since, reverse=True)
    return sorted(newest_first, key=lambda one: one.name)


async def withdraw(connection: asyncpg.Connection, account: int, client: int) -> int:
    """Ends everything that this app holds for this person, codes that are on their way too. How many consents."""
    async with connection.transaction():
        families = [
            row[0]
            for row in await connection.fetch(
                """
                with burnt as (
                    update authorization_code set used_at = now()
                    where (request->>'account')::bigint = $1 and (request->>'client')::bigint = $2 and used_at is null
                    returning family)
                select family from burnt
                union
                select family from refresh_token
                where (request->>'account')::bigint = $1 and (request->>'client')::bigint = $2 and revoked_at is null
                union
                select family from access_session
                where account = $1 and client = $2 and ended_at is null and expires_at > now() and family is not null
                """,
                account,
                client,
            )
        ]
        for family in families:
            await end_family(connection, family)
    return len(families)
