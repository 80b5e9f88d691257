"""The token that a form carries: of the session it was given to, and behind it the number of the page it stands on."""

import secrets
from typing import Final

BETWEEN: Final = "."


def numbered(csrf: str) -> str:
    """The token as a page gives it: each page that is shown has another number (`once` says what for)."""
    return f"{csrf}{BETWEEN}{secrets.token_urlsafe(12)}" if csrf else ""


def token_of(given: str) -> str:
    """The session's part."""
    return given.partition(BETWEEN)[0]
