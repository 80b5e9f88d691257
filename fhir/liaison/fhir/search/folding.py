"""A text as searches compare it: no case, no accents, no punctuation (R4 search.html#string)."""

import unicodedata
from functools import lru_cache
from typing import Final

# Letters that Unicode does not take apart, though readers do.
_LETTERS: Final = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i"}
)


@lru_cache(maxsize=32_768)
def folded(text: str) -> str:
    """The text as a search compares it: no case, no accents; runs of anything but letters and digits are one space."""
    return _folded(text, " ")


@lru_cache(maxsize=32_768)
def forms(text: str) -> tuple[str, ...]:
    """The folded text, and the same with its punctuation left out where that differs: "d arc" and "darc"."""
    spaced, joined = folded(text), _folded(text, "")
    return (spaced,) if joined in ("", spaced) else (spaced, joined)


def _folded(text: str, mark: str) -> str:
    """`mark` stands for each character that is neither letter, digit nor space."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(c if c.isalnum() else " " if c.isspace() else mark for c in plain if not unicodedata.combining(c))
    return " ".join(kept.casefold().translate(_LETTERS).split())
