"""SMART Backend Services (RFC 6749 §4.4): a system acts for the organisation that owns it.

https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html

Principals are the client and its organisation, role and purpose those registered for it: never more than a person of
that organisation in that role would have (rule 26d), and never a refresh token.
"""

import asyncpg

from liaison.auth.oauth2.clients import Client
from liaison.auth.oauth2.errors import UnauthorizedClient
from liaison.auth.oauth2.rfc6749.authorization_request import cut
from liaison.auth.sessions import Act, open_session
from liaison.auth.smart.scopes import Scopes


async def open_for(
    connection: "asyncpg.Connection | asyncpg.Pool", client: Client, scope: str, seconds: int
) -> tuple[int, Scopes]:
    """A session for an authenticated backend client, and the scopes it got: what it asks cut to what is registered.

    One that asks for none gets what is registered (RFC 6749 §3.3): an administrator wrote that down, and libraries that
    cannot send a scope exist.
    """
    if client.kind != "backend" or not client.confidential:
        raise UnauthorizedClient("This client may not use client_credentials.")
    scopes = cut(scope, client) if scope else client.scopes
    if client.by_activation:
        raise UnauthorizedClient("Each organisation that activated this software has a client_id of its own.")
    act = Act(
        principals=(client.number, client.organization),
        purpose=client.purpose,
        role_code=client.role_code,
        client=client.number,
        organization=client.organization,
    )
    return await open_session(connection, act, str(scopes), seconds), scopes
