"""A secret in sealed envelopes: Shamir's sharing over GF(2⁸), any `needed` of the shares give it back, fewer nothing.

A. Shamir, "How to share a secret", 1979; the field is AES's (FIPS 197 §4). A share is printed in groups of four with a
check, so that a mistake in typing is found and the line named.
"""

import base64
import secrets
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

_MARK: Final = "LIAISON"
_CHECK: Final = 3


class BadShare(ValueError):
    """A share was mistyped, or these shares do not belong together."""


def _tables() -> tuple[list[int], list[int]]:
    exponents, logarithms, value = [0] * 510, [0] * 256, 1
    for power in range(255):
        exponents[power] = exponents[power + 255] = value
        logarithms[value] = power
        value ^= (value << 1) ^ (0x11B if value & 0x80 else 0)  # times 3, a generator
    return exponents, logarithms


_EXPONENTS, _LOGARITHMS = _tables()


def _times(a: int, b: int) -> int:
    return _EXPONENTS[_LOGARITHMS[a] + _LOGARITHMS[b]] if a and b else 0


def _over(a: int, b: int) -> int:
    return _EXPONENTS[_LOGARITHMS[a] - _LOGARITHMS[b] + 255] if a else 0


def split(secret: bytes, shares: int = 5, needed: int = 3) -> list[str]:
    """The printed shares. Each tells how many are needed and nothing of the secret."""
    if not 2 <= needed <= shares <= 16:
        raise ValueError("From 2 to 16 shares, at least 2 of them needed.")
    family = secrets.token_bytes(2)
    polynomials = [(byte, *secrets.token_bytes(needed - 1)) for byte in secret]
    return [_printed(family, needed, x, bytes(_at(one, x) for one in polynomials)) for x in range(1, shares + 1)]


def _at(polynomial: Sequence[int], x: int) -> int:
    value = 0
    for coefficient in reversed(polynomial):
        value = _times(value, x) ^ coefficient
    return value


def _printed(family: bytes, needed: int, x: int, values: bytes) -> str:
    body = family + bytes((needed, x)) + values
    text = base64.b32encode(body + sha256(body).digest()[:_CHECK]).decode().rstrip("=")
    return "-".join([_MARK, *(text[i : i + 4] for i in range(0, len(text), 4))])


def _read(share: str) -> tuple[bytes, int, int, bytes]:
    text = "".join(share.upper().split()).replace("-", "")
    text = text.replace("0", "O").replace("1", "I").replace("8", "B")  # base32 has none of these digits
    text = text.removeprefix(_MARK)
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except ValueError:
        raise BadShare("un caractère n'est pas celui d'un code") from None
    body, check = raw[:-_CHECK], raw[-_CHECK:]
    # The last letter has bits to spare: written otherwise, they would hide a mistake in it.
    exact = base64.b32encode(raw).decode().rstrip("=") == text
    if not exact or len(body) < 5 or sha256(body).digest()[:_CHECK] != check:
        raise BadShare("un caractère est faux ou manque")
    return body[:2], body[2], body[3], body[4:]


def check(share: str) -> int:
    """The number of a share that was typed in; BadShare if it was mistyped."""
    return _read(share)[2]


def join(shares: Sequence[str]) -> bytes:
    """The secret. BadShare when they are too few, of different envelopes, or one was mistyped."""
    read = [_read(share) for share in shares]
    if len({(family, needed, len(values)) for family, needed, _, values in read}) != 1:
        raise BadShare("ces codes ne sont pas de la même remise")
    needed = read[0][1]
    points = {x: values for _, _, x, values in read}
    if len(points) < needed:
        raise BadShare(f"il faut {needed} codes différents")
    chosen = dict(list(points.items())[:needed])
    return bytes(_zero({x: values[i] for x, values in chosen.items()}) for i in range(len(read[0][3])))


def _zero(points: dict[int, int]) -> int:
    """Lagrange's interpolation at 0. Subtraction is addition in this field."""
    found = 0
    for x, y in points.items():
        term = y
        for other in points:
            if other != x:
                term = _times(term, _over(other, other ^ x))
        found ^= term
    return found
