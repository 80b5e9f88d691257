"""How much one address or client may ask (RFC 6585 §4), counted in the database: all workers share one count.

The generic cell rate algorithm (ITU-T I.371): a row keeps the moment at which all that is allowed at once will be allowed
again; one statement moves it on, or leaves it and says no. So callers side by side never outrun the count. The table is
not logged: counting costs no write to disk, and a crash forgets.

What is counted is what the caller says or where it calls from, never whether it exists: whoever asks under an invented
client_id meets the same limit and the same text as under a real one. How often a secret may be tried is the account's
own count (people.accounts), which no change of address escapes.
"""

import hashlib
import ipaddress
import math
from typing import Final, NamedTuple

import asyncpg


class Limit(NamedTuple):
    """So many at once, and then one each time so many seconds have passed."""

    name: str
    at_once: int
    seconds_each: float


CALLS: Final = Limit("calls", 300, 0.05)
"""Of one address, at the endpoints that check secrets: a hospital's whole staff may be behind it."""
FAILURES: Final = Limit("failures", 30, 2.0)
"""Of one address under one client_id: software that goes on failing shuts out itself, not its neighbours."""
TOKENS: Final = Limit("tokens", 200, 0.02)
"""Of one client, once it has proven who it is."""


class TooMany(Exception):
    """`seconds` is when it makes sense to come again: one at least, since the moment may have come meanwhile."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds = max(1, seconds)
        super().__init__(f"Too many requests. Try again in {seconds} s.")


async def take(connection: "asyncpg.Connection | asyncpg.Pool", limit: Limit, *whose: str) -> None:
    """Counts one. Raises TooMany, and counts nothing, when it is one too many."""
    key = _key(limit, whose)
    most = limit.at_once * limit.seconds_each
    taken = await connection.fetchval(_TAKE, key, limit.seconds_each, most)
    if not taken:
        raise TooMany(await _wait(connection, key, limit, most))


async def allowed(connection: "asyncpg.Connection | asyncpg.Pool", limit: Limit, *whose: str) -> None:
    """Counts nothing. Raises TooMany when the next one would be one too many."""
    key = _key(limit, whose)
    most = limit.at_once * limit.seconds_each
    seconds = await _wait(connection, key, limit, most)
    if seconds:
        raise TooMany(seconds)


def whose_address(address: str) -> str:
    """What an address is counted by: an IPv4 address, or the /64 of an IPv6 one, which is one subscriber's.

    '' for an address of this machine, which is a proxy that has not told us whose call it is (LIAISON_PROXY_SOCKET):
    counting it would let one caller shut everybody out."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip
    if ip.is_loopback:
        return ""
    return str(ip) if ip.version == 4 else str(ipaddress.ip_network((ip, 64), strict=False))


def _key(limit: Limit, whose: tuple[str, ...]) -> bytes:
    return hashlib.sha256("\0".join((limit.name, *whose)).encode("utf-8", "surrogatepass")).digest()


async def _wait(connection: "asyncpg.Connection | asyncpg.Pool", key: bytes, limit: Limit, most: float) -> int:
    ahead: float = await connection.fetchval(_AHEAD, key) or 0.0
    return max(0, math.ceil(ahead + limit.seconds_each - most))


_TAKE: Final = """
insert into rate_limit as known (key, full_at) values ($1, now() + make_interval(secs => $2))
on conflict (key) do update set full_at = greatest(known.full_at, now()) + make_interval(secs => $2)
where greatest(known.full_at, now()) + make_interval(secs => $2) <= now() + make_interval(secs => $3)
returning true
"""
_AHEAD: Final = "select extract(epoch from full_at - now())::float8 from rate_limit where key = $1"
