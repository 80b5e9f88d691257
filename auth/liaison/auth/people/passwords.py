"""Which passwords are taken: long ones that nobody else would think of (NIST SP 800-63B §5.1.1.2; CNIL 2022-100).

Length over rules: no demand for capitals or digits. Refused are those of the bundled list of common ones, alone or with
digits and signs around them, one short piece repeated, keyboard rows, and the account's own name.
"""

import gzip
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Final

SHORTEST: Final = 12
LONGEST: Final = 1024
_LIST: Final = Path(__file__).with_name("common_passwords.txt.gz")
_PADDING: Final = re.compile(r"^[\W\d_]+|[\W\d_]+$")
_ROWS: Final = tuple(
    row + row[::-1]
    for row in ("abcdefghijklmnopqrstuvwxyz", "01234567890", "azertyuiopqsdfghjklmwxcvbn", "qwertyuiopasdfghjklzxcvbnm")
)
_PIECE: Final = re.compile(r"(.{1,6}?)\1+.{0,5}", re.DOTALL)
"""One piece over and over, the last time perhaps not whole."""


@cache
def _common() -> frozenset[str]:
    return frozenset(gzip.decompress(_LIST.read_bytes()).decode().splitlines())


def plain(password: str) -> str:
    """A password as the list has it: without case and accents."""
    parts = unicodedata.normalize("NFKD", password)
    return "".join(one for one in parts if not unicodedata.combining(one)).casefold()


def too_short(password: str) -> bool:
    return len(password) < SHORTEST


def too_common(password: str, username: str = "") -> bool:
    """Whether someone who guesses would come to it early."""
    given = plain(password)
    bare = _PADDING.sub("", given)
    name = plain(username)
    words = [word for word in re.split(r"[\W\d_]+", given) if word]
    known = _common()
    return (
        given in known
        or len(bare) < 4  # digits and signs alone
        or bare in known
        or _PIECE.fullmatch(given) is not None
        or any(bare in row for row in _ROWS)
        or (len(name) > 3 and len(given.replace(name, "")) < SHORTEST - 4)
        or (len(set(words)) == 1 and words[0] in known)
    )
