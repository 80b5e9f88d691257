"""Whoever signed, in the reader's language: « Sylvie (aide à domicile) » is kept in the record in French, as it was written."""

import re
from collections.abc import Callable
from functools import cache
from typing import Final

from liaison.services.pages.role_names import every_name

Say = Callable[[str], str]
_SIGNED: Final = re.compile(r"(?P<name>.+?)(?P<before> \(|, )(?P<role>[^()]+)(?P<after>\)?)")


def said(display: str, say: Say) -> str:
    """With the name of their role in the reader's words, where it is one of ours; else as it is written."""
    found = _SIGNED.fullmatch(display)
    role = _roles().get(found["role"].lower()) if found else None
    if found is None or role is None or say(role) == role:
        return display
    return f"{found['name']}{found['before']}{say(role)}{found['after']}"


@cache
def _roles() -> dict[str, str]:
    return {name.lower(): name for name in every_name()}
