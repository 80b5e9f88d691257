"""Marks between words, in the reader's language: French puts a space before a colon and « » around what was said."""

from collections.abc import Iterable
from typing import Final

from liaison.services.pages.marking import _
from liaison.services.pages.reading.concepts import Say

_COLON: Final = _(" : ")
_SEMICOLON: Final = _(" ; ")
_QUOTED: Final = _("« {text} »")


def colon(say: Say, *parts: str) -> str:
    """'Poids : 71 kg'; parts without words, and their colon, are left out."""
    return say(_COLON).join(filter(None, parts))


def semicolons(parts: Iterable[str], say: Say) -> str:
    return say(_SEMICOLON).join(filter(None, parts))


def quoted(text: str, say: Say) -> str:
    """What somebody wrote, marked as theirs."""
    return say(_QUOTED).format(text=text)
