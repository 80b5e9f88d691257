"""gzip, both ways (RFC 9110 §8.4, RFC 1952): answers for who takes it, and bodies for who sends it.

Where a secret and text of somebody else's choice are compressed together, the length tells what they share (CRIME,
BREACH). What is done about that, and what is left, is in docs/threat-model.md: the length of each answer is blurred by
chance, and an answer that may hold a token is packed without being compressed.
"""

import asyncio
import secrets
import struct
import zlib
from typing import Final, Literal

from liaison.fhir.errors import BadRequest, NotAcceptable, TooLarge, UnsupportedMedia
from liaison.services.api.quality import quality

Coding = Literal["identity", "gzip", "gzip only"]

SMALLEST: Final = 2048
"""Bytes below which an answer goes as it is: it fits into a packet or two anyway, and reads stay fast."""
LARGE: Final = 64 * 1024
"""Bytes from which an answer is compressed in a thread."""
_LARGE_GZIP: Final = 4096
"""The same for a body received: this much may become a thousand times as much."""
_LEVEL: Final = 4
_STEP: Final = 64 * 1024
_MOST_MEMBERS: Final = 1000
"""What comes after a member is copied: without a limit, a body of empty members would take hours."""
_PADDING: Final = 256
_USUAL: Final = frozenset({"gzip", "gzip, deflate", "gzip, deflate, br", "gzip, deflate, br, zstd", "gzip,deflate"})


class UnknownCoding(UnsupportedMedia):
    """A Content-Encoding that is not read here; the answer names the one that is (RFC 9110 §15.5.16)."""


def accepted(accept_encoding: str) -> Coding:
    """What an answer may be, by Accept-Encoding (RFC 9110 §12.5.3). NotAcceptable when it may be nothing we have."""
    if not accept_encoding:
        return "identity"
    if accept_encoding in _USUAL:
        return "gzip"
    given: dict[str, float] = {}
    for part in accept_encoding.split(","):
        coding, _, parameter = part.partition(";")
        given.setdefault(coding.strip().lower().removeprefix("x-"), _quality(parameter))
    rest = given.get("*")
    compressed = given.get("gzip", rest or 0)
    plain = given.get(
        "identity", 1e-3 if rest is None else rest
    )  # acceptable unless it is excluded, after what is named
    if compressed and compressed >= plain:
        return "gzip" if plain else "gzip only"
    if not plain:
        raise NotAcceptable("An answer comes with gzip or without Content-Encoding; Accept-Encoding excludes both.")
    return "identity"


def _quality(parameter: str) -> float:
    if not parameter.strip():
        return 1
    name, _, value = (text.strip() for text in parameter.partition("="))
    return quality(value) if name.lower() == "q" else 0


async def gzip(body: bytes, *, apart: bool) -> bytes:
    """The body as one gzip member, with a field of random length. `apart`: nothing in it is compressed."""
    level = zlib.Z_NO_COMPRESSION if apart else _LEVEL
    return packed(body, level) if len(body) < LARGE else await asyncio.to_thread(packed, body, level)


def packed(body: bytes, level: int) -> bytes:
    compressor = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    end = struct.pack("<LL", zlib.crc32(body), len(body) & 0xFFFFFFFF)
    return b"".join((_header(secrets.randbelow(_PADDING)), compressor.compress(body), compressor.flush(), end))


def _header(padding: int) -> bytes:
    """RFC 1952 §2.3: no name, no time, and an extra field (§2.3.1.1) that every reader skips."""
    field = struct.pack("<2sH", b"LP", padding) + bytes(padding)
    return b"\x1f\x8b\x08\x04" + bytes(4) + b"\x00\xff" + struct.pack("<H", len(field)) + field


def require_known(content_encoding: str) -> None:
    """Raises UnknownCoding for a body in any coding but gzip, or in several one upon the other."""
    if content_encoding.strip().lower() not in ("", "identity", "gzip", "x-gzip"):
        raise UnknownCoding("Send the body with Content-Encoding: gzip, or without any.")


async def received(body: bytes, content_encoding: str, limit: int) -> bytes:
    """What a body says once its coding is undone. TooLarge when that is more than `limit` bytes."""
    if not body or content_encoding.strip().lower() in ("", "identity"):
        return body
    return inflated(body, limit) if len(body) < _LARGE_GZIP else await asyncio.to_thread(inflated, body, limit)


def inflated(body: bytes, limit: int) -> bytes:
    """The members of a gzip body, joined; never more than `limit` bytes are made of it, whatever it says of itself."""
    parts: list[bytes] = []
    room, members, at = limit, 0, 0
    rest, member = b"", None
    while rest or at < len(body):
        if not rest:
            rest, at = body[at : at + _STEP], at + _STEP
        if member is None:
            members += 1
            if members > _MOST_MEMBERS:
                raise BadRequest(f"The body is a gzip of more than {_MOST_MEMBERS} members.")
            member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            part = member.decompress(rest, room + 1)
        except zlib.error:
            raise BadRequest("The body is not the gzip that Content-Encoding says it is.") from None
        room -= len(part)
        if room < 0:
            raise TooLarge(f"The body is larger than {limit} bytes when it is unpacked. Send it in parts.")
        parts.append(part)
        rest = member.unused_data
        if member.eof:
            member = None
    if member is not None:
        raise BadRequest("The body ends before its gzip does.")
    return b"".join(parts)
