"""The software that is registered. No open registration: an administrator adds each client (RFC 6749 §2).

A client is confidential, by private_key_jwt with exactly one algorithm or by its certificate (RFC 8705 §2.1), or
public, by PKCE alone (apps only). A backend client acts for its owner organisation, in the role and for the purpose
registered for it, never more. What may be registered: liaison.auth.oauth2.registration.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import orjson

from liaison.auth.oauth2.registration import problems_of
from liaison.auth.sessions import end_client
from liaison.auth.smart.scopes import Scopes, read_scopes

OURS: Final = "liaison"
"""The service's own pages, where an app is named (EHR launch): no client is registered under it."""


class ClientProblem(ValueError):
    """A registration that is refused; the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Client:
    """One registration, in force or not (`active`)."""

    number: int
    client_id: str
    kind: str
    name: str
    scopes: Scopes
    keys: tuple[Mapping[str, Any], ...] = ()
    jwks_uri: str = ""
    algorithm: str = ""
    binding: str = ""
    certificate_subject: str = ""
    redirect_uris: tuple[str, ...] = ()
    organization: int = 0
    role_code: str = ""
    purpose: int = 0
    active: bool = True
    launch_url: str = ""
    post_logout_redirect_uris: tuple[str, ...] = ()
    introspects: bool = False
    by_activation: bool = False
    exchanges: bool = False

    @property
    def confidential(self) -> bool:
        return bool(self.keys or self.jwks_uri or self.certificate_subject)


_COLUMNS: Final = (
    "client, client_id, kind, name, scope, jwks, jwks_uri, algorithm, binding, certificate_subject, redirect_uris,"
    " organization, role_code, purpose, active, launch_url, post_logout_redirect_uris, introspects, by_activation,"
    " exchanges"
)


def _client(row: Any) -> Client:
    return Client(
        number=row["client"],
        client_id=row["client_id"],
        kind=row["kind"],
        name=row["name"],
        scopes=read_scopes(row["scope"]),
        keys=tuple(orjson.loads(row["jwks"])["keys"]) if row["jwks"] else (),
        jwks_uri=row["jwks_uri"] or "",
        algorithm=row["algorithm"] or "",
        binding=row["binding"],
        certificate_subject=row["certificate_subject"] or "",
        redirect_uris=tuple(orjson.loads(row["redirect_uris"])),
        organization=row["organization"],
        role_code=row["role_code"] or "",
        purpose=row["purpose"] or 0,
        active=row["active"],
        launch_url=row["launch_url"] or "",
        post_logout_redirect_uris=tuple(orjson.loads(row["post_logout_redirect_uris"])),
        introspects=row["introspects"],
        by_activation=row["by_activation"],
        exchanges=row["exchanges"],
    )


async def find(connection: "asyncpg.Connection | asyncpg.Pool", client_id: str) -> Client | None:
    """The client in force with this id; None for one that is unknown or suspended."""
    row = await connection.fetchrow(f"select {_COLUMNS} from client where client_id = $1 and active", client_id)
    return None if row is None else _client(row)


async def by_number(connection: "asyncpg.Connection | asyncpg.Pool", number: int) -> Client | None:
    """The client in force with this number."""
    row = await connection.fetchrow(f"select {_COLUMNS} from client where client = $1 and active", number)
    return None if row is None else _client(row)


async def every(connection: "asyncpg.Connection | asyncpg.Pool") -> list[Client]:
    """All clients, suspended ones too, by client_id."""
    return [_client(row) for row in await connection.fetch(f"select {_COLUMNS} from client order by client_id")]


async def launched(connection: "asyncpg.Connection | asyncpg.Pool") -> list[Client]:
    """The apps in force that our pages open on a record, by name."""
    rows = await connection.fetch(
        f"select {_COLUMNS} from client where active and launch_url is not null order by name, client_id"
    )
    return [_client(row) for row in rows]


async def redirects_in_force(connection: "asyncpg.Connection | asyncpg.Pool") -> list[str]:
    """The redirect addresses of all apps in force."""
    rows = await connection.fetch("select redirect_uris from client where active and kind = 'app'")
    return [address for row in rows for address in orjson.loads(row[0])]


async def add(
    connection: asyncpg.Connection,
    *,
    client_id: str,
    kind: str,
    name: str,
    scope: str,
    jwks: Mapping[str, Any] | None = None,
    jwks_uri: str = "",
    algorithm: str = "",
    binding: str = "",
    certificate_subject: str = "",
    redirect_uris: Sequence[str] = (),
    organization: int = 0,
    role_code: str = "",
    purpose: int = 0,
    launch_url: str = "",
    post_logout_redirect_uris: Sequence[str] = (),
    introspects: bool = False,
    exchanges: bool = False,
    by_activation: bool = False,
    private: bool = False,
) -> Client:
    """Raises ClientProblem for a registration that could not be served safely, or a client_id that is taken."""
    faults = problems_of(
        kind=kind,
        scope=scope,
        jwks=jwks,
        jwks_uri=jwks_uri,
        algorithm=algorithm,
        binding=binding,
        certificate_subject=certificate_subject,
        redirect_uris=redirect_uris,
        launch_url=launch_url,
        post_logout_redirect_uris=post_logout_redirect_uris,
        introspects=introspects,
        exchanges=exchanges,
        owned=bool(role_code) if by_activation else bool(organization and role_code and purpose),
        private=private,
    )
    if fault := next(faults, None):
        raise ClientProblem(fault.text)
    if client_id == OURS:
        raise ClientProblem(f"The client_id {client_id} is the service's own.")
    number = secrets.randbits(62) or 1
    row = await connection.fetchrow(
        f"""
        insert into client (client, client_id, kind, name, scope, jwks, algorithm, redirect_uris, organization,
                            role_code, purpose, launch_url, post_logout_redirect_uris, introspects, jwks_uri, binding,
                            certificate_subject, exchanges, by_activation)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, nullif($10, ''), nullif($11::smallint, 0), nullif($12, ''), $13, $14,
                nullif($15, ''), $16, nullif($17, ''), $18, $19)
        on conflict (client_id) do nothing returning {_COLUMNS}
        """,
        number,
        client_id,
        kind,
        name,
        str(read_scopes(scope)),
        orjson.dumps({"keys": [public(key) for key in jwks["keys"]]}).decode() if jwks else None,
        algorithm or None,
        orjson.dumps(list(redirect_uris)).decode(),
        organization,
        role_code,
        purpose,
        launch_url,
        orjson.dumps(list(post_logout_redirect_uris)).decode(),
        introspects,
        jwks_uri,
        binding,
        certificate_subject,
        exchanges,
        by_activation,
    )
    if row is None:
        raise ClientProblem(f"The client_id {client_id} is taken.")
    return _client(row)


_HELD_OFF: Final = """
select exists (
    select from client c join client r on r.client = c.registration
    where c.client_id = $1 and (not r.active or not exists (
        select from client_activation a where a.acting = c.client and a.active)))
"""


async def suspend(connection: asyncpg.Connection, client_id: str, *, active: bool = False) -> bool:
    """Suspends (or takes up again) a client and all that acts by its registration; their sessions end at once. What is
    switched off for an organisation stays off: raises ClientProblem for that organisation's own client. False when there
    is no such client, or it has ended."""
    if active and await connection.fetchval(_HELD_OFF, client_id):
        raise ClientProblem(f"{client_id} is switched off by its organisation, or its registration is not in force.")
    number = await connection.fetchval(
        "update client set active = $2 where client_id = $1 and ended_at is null returning client", client_id, active
    )
    if number is None:
        return False
    acting = await connection.fetch(
        """
        update client c set active = $2 where registration = $1 and (not $2 or exists (
            select from client_activation a where a.acting = c.client and a.active)) returning client
        """,
        number,
        active,
    )
    if not active:
        for one in (number, *(row["client"] for row in acting)):
            await end_client(connection, one)
    return True


def public(key: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a key."""
    # Only what names and verifies is kept, whatever was handed in.
    return {name: key[name] for name in ("kty", "kid", "use", "alg", "crv", "x", "y", "n", "e") if name in key}
