"""For which organisations a vendor's software is switched on. One registration, and a switch for each.

An app acts for people: it gives no token to who works at an organisation where it is off (0 is the people who act for
themselves). A backend acts for the organisation: each activation is a client of its own, `<client_id>.<n>`, with the
keys of the registration, so that its rights are that organisation's and no other's.

Switching off ends what is open there at once. Giving a session locks the registration in share mode until the session
is stored (`standing`), and switching off locks it wholly: a session is either refused, or ended.
"""

import secrets
from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from liaison.auth.access.roles import ROLES
from liaison.auth.oauth2.clients import ClientProblem
from liaison.auth.sessions import end_client, end_client_at

PEOPLE: int = 0
"""The organisation of those who act for themselves: patients and who represents them."""


class Activation(NamedTuple):
    """`client_id` is the one that acts there."""

    organization: int
    client_id: str
    active: bool


async def standing(connection: "asyncpg.Connection | asyncpg.Pool", client: int, organization: int) -> bool:
    """Whether software that acts for people may act for someone of this organisation. In a transaction."""
    row = await connection.fetchrow("select by_activation from client where client = $1 and active for share", client)
    if row is None:
        return False
    if not row["by_activation"]:
        return True
    found: bool = await connection.fetchval(
        "select exists (select from client_activation where client = $1 and organization = $2 and active)",
        client,
        organization,
    )
    return found


async def of_client(connection: "asyncpg.Connection | asyncpg.Pool", client: int) -> Sequence[Activation]:
    rows = await connection.fetch(
        "select a.organization, c.client_id, a.active from client_activation a join client c on c.client = a.acting"
        " where a.client = $1 order by a.since, a.organization",
        client,
    )
    return [Activation(*row) for row in rows]


async def activate(connection: asyncpg.Connection, client_id: str, organization: int) -> str:
    """Switches it on; the client_id to use there. In a transaction; a backend's rights need a rebuild afterwards.

    Raises ClientProblem for a client that is not activated in this way, or not in force."""
    row = await connection.fetchrow("select * from client where client_id = $1 for update", client_id)
    if row is None or not row["by_activation"]:
        raise ClientProblem(f"{client_id} is not registered for activation by organisation.")
    if not row["active"]:
        raise ClientProblem(f"{client_id} is suspended or ended.")
    known = await connection.fetchval(
        "update client_activation set active = true, since = now() where client = $1 and organization = $2"
        " returning acting",
        row["client"],
        organization,
    )
    if known is None:
        acting = await _backend(connection, row, organization) if row["kind"] == "backend" else row["client"]
        await connection.execute(
            "insert into client_activation (client, organization, acting) values ($1, $2, $3)",
            row["client"],
            organization,
            acting,
        )
    elif known != row["client"]:
        await connection.execute("update client set active = true where client = $1", known)
        acting = known
    else:
        acting = known
    named: str = await connection.fetchval("select client_id from client where client = $1", acting)
    return named


async def _backend(connection: asyncpg.Connection, row: asyncpg.Record, organization: int) -> int:
    if organization == PEOPLE:
        raise ClientProblem("A backend acts for an organisation.")
    number = secrets.randbits(62) or 1
    inserting = """
        insert into client (client, client_id, kind, name, scope, jwks, jwks_uri, algorithm, binding,
                            certificate_subject, redirect_uris, organization, role_code, purpose, registration)
        select $2, client_id || '.' || $3, kind, name, scope, jwks, jwks_uri, algorithm, binding, certificate_subject,
               redirect_uris, $4, role_code, $5, client
        from client where client = $1
        on conflict (client_id) do nothing returning true
        """
    place: int = await connection.fetchval("select count(*) from client where registration = $1", row["client"])
    made = False
    while not made:  # a name that another client has is left to it
        place += 1
        made = await connection.fetchval(
            inserting, row["client"], number, str(place), organization, int(ROLES[row["role_code"]].purpose)
        )
    return number


async def deactivate(connection: asyncpg.Connection, client_id: str, organization: int) -> bool:
    """Switches it off, and ends what it holds open there. In a transaction. False when it was not on."""
    client = await connection.fetchval("select client from client where client_id = $1 for update", client_id)
    acting = await connection.fetchval(
        "update client_activation set active = false, since = now()"
        " where client = $1 and organization = $2 and active returning acting",
        client,
        organization,
    )
    if acting is None:
        return False
    if acting != client:
        await connection.execute("update client set active = false where client = $1", acting)
        await end_client(connection, acting)
    else:
        await end_client_at(connection, client, organization)
    return True
