"""Between two pages of one sign-in: which browser is in the middle of what, for a few minutes.

The cookie is random and kept as SHA-256. What must be unpredictable in the ceremony (a challenge, a nonce, a state) is
derived from the cookie, so that nothing secret of it is stored, and an answer begun in another browser fits nothing.
"""

import hmac
import secrets
from datetime import timedelta
from typing import Final, Literal

import asyncpg

from liaison.auth.digests import digest

Kind = Literal["second", "enter-by-passkey", "add-passkey", "confirm-by-passkey", "pro-sante-connect"]
LASTS: Final = timedelta(minutes=5)


async def begin(
    connection: "asyncpg.Connection | asyncpg.Pool", kind: Kind, account: int = 0, *, carrying: str = ""
) -> str:
    """The cookie of a new ceremony. `account` 0: not known yet who it is. `carrying` travels after its first dot."""
    cookie = secrets.token_urlsafe(32) + (f".{carrying}" if carrying else "")
    await connection.execute(
        "insert into ceremony (token, kind, account, expires_at) values ($1, $2, $3, now() + $4)",
        digest(cookie),
        kind,
        account,
        LASTS,
    )
    return cookie


async def account_of(connection: "asyncpg.Connection | asyncpg.Pool", cookie: str, kind: Kind) -> int | None:
    """The account of a ceremony that is under way; None when there is none of this kind."""
    number: int | None = await connection.fetchval(
        "select account from ceremony where token = $1 and kind = $2 and expires_at > now()", digest(cookie), kind
    )
    return number


async def finish(connection: "asyncpg.Connection | asyncpg.Pool", cookie: str, kind: Kind) -> int | None:
    """Ends it, and says whose it was: None for one that is over. Of two who finish the same one, one does."""
    number: int | None = await connection.fetchval(
        "delete from ceremony where token = $1 and kind = $2 and expires_at > now() returning account",
        digest(cookie),
        kind,
    )
    return number


def derived(cookie: str, use: str) -> bytes:
    """32 unpredictable bytes for one use within the ceremony of this cookie."""
    return hmac.digest(cookie.encode("utf-8", "surrogatepass"), use.encode(), "sha256")
