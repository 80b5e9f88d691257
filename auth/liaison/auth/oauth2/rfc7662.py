"""Introspection (RFC 7662), with the launch context that SMART adds.

https://hl7.org/fhir/smart-app-launch/STU2.2/token-introspection.html

A client may ask about its own tokens; one that an administrator registered for it, about any. Whoever else asks, and
whatever is wrong with a token, the answer is that it is not active, and nothing more (§2.2).
"""

from dataclasses import dataclass, field

import asyncpg

from liaison.auth.digests import digest
from liaison.auth.oauth2 import rfc9068
from liaison.auth.oauth2.clients import Client
from liaison.auth.oauth2.confirmation import JKT, UNBOUND, Confirmation
from liaison.auth.oauth2.keys import SigningKeys
from liaison.auth.oauth2.rfc6749.grant import Grant
from liaison.auth.people.accounts import IN_FORCE
from liaison.auth.sessions import is_alive
from liaison.auth.smart.launch import LaunchContext
from liaison.fhir.errors import Unauthorized


@dataclass(frozen=True, slots=True)
class Active:
    """A token that works now. `account` 0 for a backend's, which acts for no person."""

    client_id: str
    scope: str
    issued_at: int
    expires_at: int
    account: int
    token_type: str = "Bearer"  # noqa: S105  # the scheme of RFC 6750, no secret
    context: LaunchContext = field(default_factory=LaunchContext)
    bound_to: Confirmation = UNBOUND

    @property
    def subject(self) -> str:
        return str(self.account) if self.account else self.client_id


async def introspect(
    connection: "asyncpg.Connection | asyncpg.Pool",
    asker: Client,
    token: str,
    *,
    keys: SigningKeys,
    issuer: str,
    audience: str,
) -> Active | None:
    """None for every token that does not work, or is none of the asker's business. Read from the database each time."""
    found = await _refresh_token(connection, token)
    if found is None:
        try:
            verified = await rfc9068.verify(keys, token, issuer=issuer, audience=audience)
        except Unauthorized:
            return None
        found = await _session(connection, verified)
    if found is None or not (asker.introspects or asker.client_id == found.client_id):
        return None
    return found


async def _session(connection: "asyncpg.Connection | asyncpg.Pool", verified: rfc9068.Verified) -> Active | None:
    row = await connection.fetchrow(
        f"""
        select s.scope, s.account, extract(epoch from s.started_at)::bigint as issued, c.client_id,
               coalesce((select request from refresh_token t where t.family = s.family limit 1),
                        (select request from authorization_code a where a.family = s.family limit 1)) as request
        from access_session s join client c on c.client = s.client and c.active
        where s.session = $1 and s.ended_at is null and s.expires_at > now()
          and (s.account is null or exists (select from account a where a.account = s.account and {IN_FORCE}))
        """,
        verified.session,
    )
    if row is None or row["client_id"] != verified.client_id:
        return None
    return Active(
        client_id=row["client_id"],
        scope=row["scope"],
        issued_at=row["issued"],
        expires_at=int(verified.expires_at),
        account=row["account"] or 0,
        token_type=verified.confirmation.token_type,
        bound_to=verified.confirmation,
        context=Grant.read(row["request"]).context if row["request"] else LaunchContext(),
    )


async def _refresh_token(connection: "asyncpg.Connection | asyncpg.Pool", token: str) -> Active | None:
    row = await connection.fetchrow(
        f"""
        select t.request, extract(epoch from t.expires_at)::bigint as expires, c.client_id
        from refresh_token t
        join client c on c.client = (t.request->>'client')::bigint and c.active
        join account a on a.account = (t.request->>'account')::bigint and {IN_FORCE}
        where t.token = $1 and t.used_at is null and t.revoked_at is null and t.expires_at > now()
        """,
        digest(token),
    )
    if row is None:
        return None
    grant = Grant.read(row["request"])
    if not grant.offline and not await is_alive(connection, grant.browser):
        return None
    return Active(
        client_id=row["client_id"],
        scope=grant.scope,
        issued_at=0,
        expires_at=row["expires"],
        account=grant.account,
        token_type="refresh_token",  # noqa: S106  # its kind (RFC 8693 §3), no secret
        context=grant.context,
        bound_to=Confirmation(JKT, grant.dpop_jkt) if grant.dpop_jkt else UNBOUND,
    )
