"""One GET of a JSON document at an address that someone else chose: a vendor's key set, never a reference in a record.

What such an address could do to us (OWASP API7, "server side request forgery") is closed one by one: https only; every
address that the name resolves to must be public, also when it is an IPv4 address inside an IPv6 one; the connection goes
to an address that was checked and to no other, so that a second answer of the name server changes nothing; no redirect
is followed; no cookie, credential or header of ours goes along; size and total time are bounded.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

import h11

from liaison.auth import trust

LARGEST: Final = 64 * 1024
SECONDS: Final = 5.0
UNSAID: Final = 60
"""Seconds that a document without Cache-Control may be kept."""
_EMBEDDING: Final = tuple(
    ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)
"""NAT64, 6to4 and Teredo: an IPv6 address that leads to an IPv4 one, which may be anybody's."""

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]


class NotFetched(Exception):
    """The document could not be had safely. The text is for whoever registered the address; it holds no answer of it."""


@dataclass(frozen=True, slots=True)
class Document:
    """What was answered. `max_age` is the seconds for which it may be kept (RFC 9111), 0 for not at all."""

    content: bytes
    max_age: int


def address_problem(url: str, *, private: bool = False) -> str:
    """Why an address may not be fetched, as far as its text tells; '' when it may. `private` is for tests alone."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "it is not an address"
    if not url.isascii() or any(c <= " " or c in '"<>\\^`{|}' for c in url):
        return "it holds characters that an address does not"
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        return "it must begin with https://"
    if not parts.hostname or "@" in parts.netloc or parts.fragment or port == 0:
        return "it has a host, and neither user nor fragment"
    return ""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet's, and leads to no other."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if any(ip in network for network in _EMBEDDING):
            return False
        if ip.is_site_local:
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


async def _resolved(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class Fetcher:
    """`private` lets plain HTTP and private addresses through: for tests and sandboxes, refused in production by
    liaison.services.house. `resolve` and `believed` are given by tests only."""

    def __init__(
        self, *, private: bool = False, resolve: Resolver = _resolved, believed: ssl.SSLContext | None = None
    ) -> None:
        self._private = private
        self._resolve = resolve
        self._trust = believed

    def problem(self, url: str) -> str:
        """`address_problem`, as this fetcher sees it."""
        return address_problem(url, private=self._private)

    async def get(self, url: str) -> Document:
        """Raises NotFetched for anything but a 200 within the limits."""
        if problem := self.problem(url):
            raise NotFetched(f"The address is refused: {problem}.")
        try:
            async with asyncio.timeout(SECONDS):
                return await self._get(urlsplit(url))
        except TimeoutError:
            raise NotFetched(f"The address did not answer within {SECONDS:.0f} s.") from None
        except (OSError, UnicodeError, h11.RemoteProtocolError):  # ssl.SSLError is an OSError
            raise NotFetched("The address could not be reached, or did not speak HTTPS properly.") from None

    async def _get(self, parts: SplitResult) -> Document:
        assert parts.hostname is not None
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        pinned = await self._choose(parts.hostname, port)
        context = (self._trust or trust.machine()) if secure else None
        # The certificate must be the name's; where the connection goes was settled above.
        reader, writer = await asyncio.open_connection(
            pinned, port, ssl=context, server_hostname=parts.hostname if secure else None, limit=LARGEST
        )
        try:
            return await _exchange(reader, writer, parts)
        finally:
            writer.transport.abort()  # no goodbye that the other side could drag out

    async def _choose(self, host: str, port: int) -> str:
        addresses = await self._resolve(host, port)
        if not addresses or not (self._private or all(map(is_public, addresses))):
            raise NotFetched("The address is refused: it does not lead to the public internet.")
        return addresses[0]


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, parts: SplitResult) -> Document:
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=16 * 1024)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = [("Host", parts.netloc), ("Accept", "application/json"), ("Connection", "close")]
    asked = h11.Request(method="GET", target=target, headers=headers)
    writer.write((http.send(asked) or b"") + (http.send(h11.EndOfMessage()) or b""))
    await writer.drain()
    content, max_age = b"", 0
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(8192))
        elif isinstance(event, h11.Response):
            if event.status_code != 200:
                # A redirect too: it would lead to an address that nobody has registered.
                raise NotFetched(f"The address answered with status {event.status_code}, not 200.")
            max_age = _max_age([value.decode("latin-1") for name, value in event.headers if name == b"cache-control"])
        elif isinstance(event, h11.Data):
            content += event.data
            if len(content) > LARGEST:
                raise NotFetched(f"The document is larger than {LARGEST} bytes.")
        elif isinstance(event, h11.EndOfMessage):
            return Document(content, max_age)
        elif not isinstance(event, h11.InformationalResponse):
            raise NotFetched("The address broke the connection off.")


def _max_age(values: Sequence[str]) -> int:
    if not values:
        return UNSAID
    said = [one.strip().lower() for value in values for one in value.split(",")]
    if any(one.partition("=")[0] in ("no-store", "no-cache") for one in said):
        return 0
    ages = [one.partition("=")[2].strip('"') for one in said if one.startswith("max-age=")]
    # None said, or two that differ, or no number: not kept (RFC 9111 §4.2.1 lets us be strict).
    return int(ages[0]) if len(ages) == 1 and ages[0].isdecimal() and len(ages[0]) < 10 else 0
