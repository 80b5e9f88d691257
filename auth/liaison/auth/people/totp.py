"""Time-based one-time codes (RFC 6238 over RFC 4226): HMAC-SHA-1, 30 seconds, 6 digits, what every authenticator app
takes. Pure: what was used already is `second_factor`'s to remember."""

import hmac
import struct
from base64 import b32encode
from typing import Final
from urllib.parse import quote, urlencode

PERIOD: Final = 30
DIGITS: Final = 6
DRIFT: Final = 1
"""Steps before and after now that are taken too: a telephone's clock, and the time that typing takes (RFC 6238 §5.2)."""
SECRET_BYTES: Final = 20  # RFC 4226 §4, R6: 160 bits recommended


def step_of(seconds: float) -> int:
    """The time step T of a moment (RFC 6238 §4.2)."""
    return int(seconds // PERIOD)


def code_of(secret: bytes, step: int, *, digits: int = DIGITS, algorithm: str = "sha1") -> str:
    """The code of one step (RFC 4226 §5.3: dynamic truncation)."""
    mac = hmac.digest(secret, struct.pack(">Q", step), algorithm)
    offset = mac[-1] & 0xF
    number = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}d}"


def matching_step(secret: bytes, code: str, seconds: float) -> int | None:
    """The step whose code this is, among those that are taken at this moment; None for any other code."""
    if len(code) != DIGITS or not (code.isascii() and code.isdigit()):
        return None
    now = step_of(seconds)
    found = None
    for step in range(max(0, now - DRIFT), now + DRIFT + 1):  # all of them, so that time does not tell which
        if hmac.compare_digest(code_of(secret, step), code):
            found = step
    return found


def typed(secret: bytes) -> str:
    """The secret as someone types it into an app that cannot read the picture: groups of four."""
    text = b32encode(secret).decode().rstrip("=")
    return " ".join(text[place : place + 4] for place in range(0, len(text), 4))


def address(secret: bytes, issuer: str, username: str) -> str:
    """The otpauth address that an authenticator app reads from a picture."""
    query = urlencode({"secret": b32encode(secret).decode().rstrip("="), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer)}:{quote(username)}?{query}"
