"""What a person has agreed to, for one client: kept as JSON behind codes and refresh tokens, numbers and scopes only."""

from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple, Self

import asyncpg
import orjson

from liaison.auth.oauth2.errors import InvalidGrant
from liaison.auth.sessions import Act, NoLongerHeld, open_session


@dataclass(frozen=True, slots=True)
class Grant:
    """`patient` is the FHIR id of the patient in context, or ''. `act.only_patient` bounds the session to them."""

    client: int
    account: int
    act: Act
    scope: str
    patient: str = ""
    nonce: str = ""
    redirect_uri: str = ""
    challenge: str = ""
    signed_in_at: int = 0

    def write(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def read(cls, text: str) -> Self:
        parts: dict[str, Any] = orjson.loads(text)
        return cls(**{**parts, "act": Act(**parts["act"])})

    def narrowed(self, scope: str) -> Self:
        return replace(self, scope=scope)


class Redeemed(NamedTuple):
    """An open session, what it is for, and the refresh token that comes with it ('' for none)."""

    grant: Grant
    session: int
    refresh_token: str


async def open_granted(connection: asyncpg.Connection, grant: Grant, family: int, seconds: int) -> int:
    """A session for a grant that still stands: account and client in force, role still held. Else InvalidGrant."""
    standing = await connection.fetchval(
        "select exists (select from account where account = $1 and active)"
        " and exists (select from client where client = $2 and active)",
        grant.account,
        grant.client,
    )
    if not standing:
        raise InvalidGrant
    try:
        return await open_session(connection, grant.act, grant.scope, seconds, family=family)
    except NoLongerHeld:
        raise InvalidGrant from None
