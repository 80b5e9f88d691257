"""Token exchange (RFC 8693): software that a person has signed in to elsewhere, or here, acts for them here.

https://www.rfc-editor.org/rfc/rfc8693 §2. Two tokens are taken as the subject's:
* one of Pro Santé Connect, for the pattern "API Pro Santé Connectée" of the ANS: a structure's proxy, which proves itself
  by its organisation's certificate, brings the token with which a professional has signed in to its own software. Pro
  Santé Connect is asked whose it is, whether it is in force and what the person practises; the directory says who that
  is here.
* one of ours, for one more piece of software behind the first: never more than the first, and it falls with
  it: when the first is given back, its family ends, or its client is suspended.

Whoever may exchange is registered for it. What comes out is never more than what is registered, than what the person
has here in the role they work in, and than what was brought. There is no refresh token.
"""

from dataclasses import dataclass, replace
from typing import Final, NamedTuple, Protocol

import asyncpg

from liaison.auth.oauth2 import rfc9068
from liaison.auth.oauth2.clients import Client
from liaison.auth.oauth2.errors import InvalidRequest, InvalidScope, InvalidTarget, UnauthorizedClient
from liaison.auth.oauth2.rfc6749.authorization_request import cut
from liaison.auth.oauth2.rfc6749.parameters import Parameters
from liaison.auth.people.accounts import IN_FORCE, Account
from liaison.auth.people.acting import in_role
from liaison.auth.people.pro_sante_connect import identity
from liaison.auth.people.roles import held_by
from liaison.auth.sessions import BROWSER, Act, NoLongerHeld, open_session
from liaison.auth.smart.scopes import Scopes, read_scopes
from liaison.auth.vendors import activations
from liaison.fhir.errors import Unauthorized

GRANT_TYPE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105  # a type's name, no token
ROLE: Final = "role"
"""Our own parameter: PractitionerRole/<id>, for a person who holds several roles."""
_REFUSED: Final = "The subject_token is not valid here."


class Identified(NamedTuple):
    """Whose token it is, how long it is still good, the roles that what they practise today stands behind, and who vouches
    for that (Caller.proven)."""

    account: Account
    seconds: int
    attested: frozenset[str]
    proven: str = ""


class Elsewhere(Protocol):
    """Who is asked about tokens that are not ours: liaison.services.oauth.pro_sante."""

    async def identify(self, token: str) -> Identified:
        """Raises InvalidRequest for a token that is not in force, Unavailable when nobody can be asked."""
        ...


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is asked, well formed. `role` is the number of a PractitionerRole, 0 for none named."""

    token: str
    scope: str
    role: int


class Exchanged(NamedTuple):
    session: int
    scopes: Scopes
    account: int
    seconds: int


class Verifier(Protocol):
    async def __call__(self, token: str) -> rfc9068.Verified: ...


def read_request(parameters: Parameters, fhir_base: str, role: int) -> Exchange:
    """§2.1. Raises InvalidRequest or InvalidTarget."""
    if parameters.required("subject_token_type") != ACCESS_TOKEN:
        raise InvalidRequest(f"subject_token_type must be {ACCESS_TOKEN}.")
    if parameters["requested_token_type"] not in ("", ACCESS_TOKEN):
        raise InvalidRequest(f"requested_token_type must be {ACCESS_TOKEN}.")
    if "actor_token" in parameters or "actor_token_type" in parameters:
        raise InvalidRequest("actor_token is not supported: who acts is the client.")
    for name in ("resource", "audience"):
        if parameters[name].rstrip("/") not in ("", fhir_base):
            raise InvalidTarget(f"{name} must be the FHIR base URL of this server.")
    if parameters[ROLE] and not role:
        raise InvalidRequest("role must be PractitionerRole/<id>.")
    return Exchange(parameters.required("subject_token"), parameters.required("scope"), role)


async def whose(
    client: Client, asked: Exchange, verify: Verifier, elsewhere: Elsewhere | None
) -> "Identified | rfc9068.Verified":
    """Whose the subject token is, once this client may ask. Outside any transaction: it may ask another server.

    Raises an OAuthError; §2.2.2 makes an unusable subject token an invalid_request, with one text."""
    if not client.exchanges or not client.confidential or client.kind != "app":
        raise UnauthorizedClient("This client may not exchange tokens.")
    cut(asked.scope, client)
    try:
        verified = await verify(asked.token)
    except Unauthorized:
        if elsewhere is None:
            raise InvalidRequest(_REFUSED) from None
        return await elsewhere.identify(asked.token)
    # Bound to a key or certificate that this client does not show: stolen, for all we know.
    if verified.confirmation.member:
        raise InvalidRequest(_REFUSED)
    return verified


async def exchange(
    connection: asyncpg.Connection, client: Client, asked: Exchange, found: "Identified | rfc9068.Verified"
) -> Exchanged:
    """A session of the person for the client. In a transaction. Raises an OAuthError."""
    scopes = cut(asked.scope, client)
    if isinstance(found, Identified):
        return await _of_another(connection, client, asked, scopes, found)
    return await _of_ours(connection, client, asked, scopes, found.session)


async def _of_ours(
    connection: asyncpg.Connection, client: Client, asked: Exchange, scopes: Scopes, session: int
) -> Exchanged:
    # Locked until the new session is stored: whoever ends the family comes before or after, never between.
    row = await connection.fetchrow(
        f"""
        select s.*, extract(epoch from s.expires_at - now())::float8 as left from access_session s
        where s.session = $1 and s.ended_at is null and s.expires_at > now() and s.scope <> $2
        and s.family is not null and s.kinds is null
        and exists (select from account a where a.account = s.account and {IN_FORCE})
        and exists (select from client c where c.client = s.client and c.active) for update of s
        """,
        session,
        BROWSER,
    )
    if row is None:
        raise InvalidRequest(_REFUSED)
    if asked.role and asked.role != row["role"]:
        raise InvalidRequest("The subject_token is of another role: an exchange does not change it.")
    narrowed = scopes.intersection(read_scopes(row["scope"]))
    if not narrowed.scopes:
        raise InvalidScope("None of the scopes asked for was granted to the subject_token.")
    act = Act(
        principals=row["principals"],
        purpose=row["purpose"],
        role_code=row["role_code"],
        account=row["account"],
        client=client.number,
        practitioner=row["practitioner"] or 0,
        role=row["role"] or 0,
        organization=row["organization"] or 0,
        only_patient=row["only_patient"] or 0,
        proven=row["proven"],
    )
    return await _opened(connection, act, narrowed, row["left"], row["family"], session)


async def _of_another(
    connection: asyncpg.Connection, client: Client, asked: Exchange, scopes: Scopes, person: Identified
) -> Exchanged:
    if scopes.binds_patient:
        raise InvalidScope("patient/ scopes need a patient in context, which an exchange has not.")
    account = person.account
    standing = f"select true from account a where account = $1 and {IN_FORCE} for share"
    if not await connection.fetchval(standing, account.number):
        raise InvalidRequest(_REFUSED)
    held = [role for role in await held_by(connection, account.person.res) if identity.attested(role, person.attested)]
    fitting = [role for role in held if role.role == asked.role] if asked.role else held
    if len(fitting) != 1:
        raise InvalidRequest("The person does not hold exactly one role: name it by role=PractitionerRole/<id>.")
    act = replace(in_role(account, fitting[0]), client=client.number, proven=person.proven)
    return await _opened(connection, act, scopes, person.seconds, None, None)


async def _opened(
    connection: asyncpg.Connection, act: Act, scopes: Scopes, left: float, family: int | None, subject: int | None
) -> Exchanged:
    if not await activations.standing(connection, act.client, act.organization):
        raise UnauthorizedClient("The software is not activated for this organisation.")
    seconds = min(rfc9068.LIFETIME, int(left))
    if seconds < 1:
        raise InvalidRequest(_REFUSED)
    try:
        session = await open_session(connection, act, str(scopes), seconds, family=family, subject=subject)
    except NoLongerHeld:
        raise InvalidRequest(_REFUSED) from None
    return Exchanged(session, scopes, act.account, seconds)
