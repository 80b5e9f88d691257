"""What a person has agreed to, for one client: kept as JSON behind codes and refresh tokens, numbers and scopes only."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple, Self

import asyncpg
import orjson

from liaison.auth.oauth2.errors import InvalidGrant
from liaison.auth.people.accounts import IN_FORCE
from liaison.auth.sessions import Act, NoLongerHeld, open_session
from liaison.auth.smart.launch import LaunchContext
from liaison.auth.smart.scopes import read_scopes
from liaison.auth.vendors import activations


@dataclass(frozen=True, slots=True)
class Grant:
    """`context` is what the token is about; `act.only_patient` bounds the session to its patient. `browser` is the
    session in which the person agreed: what is not for offline use ends with it."""

    client: int
    account: int
    act: Act
    scope: str
    context: LaunchContext = field(default_factory=LaunchContext)
    nonce: str = ""
    redirect_uri: str = ""
    challenge: str = ""
    signed_in_at: int = 0
    browser: int = 0
    dpop_jkt: str = ""
    """The key that its code and a public client's refresh tokens are bound to (RFC 9449 §5, §10)."""

    @property
    def offline(self) -> bool:
        """Whether it goes on when the person has signed out (SMART: offline_access)."""
        return "offline_access" in read_scopes(self.scope).names

    def write(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def read(cls, text: str) -> Self:
        parts: dict[str, Any] = orjson.loads(text)
        return cls(**{**parts, "act": Act(**parts["act"]), "context": LaunchContext.of(parts.get("context", {}))})

    def shown(self, jkt: str, *, confidential: bool) -> Self:
        """This grant, used with a proof of that key ('' for none). Raises InvalidGrant when it is bound to another.

        What a public client gets is bound to its key from here on; a confidential one proves itself anyway."""
        if self.dpop_jkt and self.dpop_jkt != jkt:
            raise InvalidGrant
        return replace(self, dpop_jkt="" if confidential else jkt)

    def narrowed(self, scope: str) -> Self:
        return replace(self, scope=scope)


class Opened(NamedTuple):
    """A session, and how many seconds a token of it may be good for."""

    session: int
    seconds: int


class Redeemed(NamedTuple):
    """An open session, how many seconds a token of it may be good for, what it is for, and the refresh token that comes
    with it ('' for none)."""

    grant: Grant
    session: int
    seconds: int
    refresh_token: str


async def open_granted(connection: asyncpg.Connection, grant: Grant, family: int, seconds: int) -> Opened:
    """A session for a grant that still stands: account and client in force, role still held, and, unless it is for
    offline use, the person still signed in. Else InvalidGrant. In a transaction."""
    standing = await connection.fetchval(
        f"select exists (select from account a where account = $1 and {IN_FORCE})", grant.account
    )
    if not standing or not await activations.standing(connection, grant.client, grant.act.organization):
        raise InvalidGrant
    if not grant.offline:
        seconds = min(seconds, await _signed_in_for(connection, grant.browser))
    try:
        return Opened(await open_session(connection, grant.act, grant.scope, seconds, family=family), seconds)
    except NoLongerHeld:
        raise InvalidGrant from None


async def _signed_in_for(connection: asyncpg.Connection, browser: int) -> int:
    # The lock is held until what is opened is stored: someone who signs out meanwhile then ends that too.
    left: float | None = await connection.fetchval(
        """
        select extract(epoch from expires_at - now())::float8 from access_session
        where session = $1 and ended_at is null and expires_at > now() for share
        """,
        browser,
    )
    if left is None:
        raise InvalidGrant
    return max(1, int(left))
