"""« de » before a name that begins with a vowel or a mute h is « d’ »: « Visite d’Odette », « Visite de Yann »."""

import re
from typing import Final

from liaison.services.pages.reading.identity import plain

# French first names whose h is mute; that of Hassan or Harold is not.
_MUTE: Final = ("hel", "henr", "herm", "herv", "hil", "hip", "hono", "hort", "hub", "hug", "hum", "hya", "hect", "herb")
_DE: Final = re.compile(r"\b([Dd])e (?=(\w+))")


def elided(text: str) -> str:
    """The French text with each « de » elided where the word after it asks for it."""
    return _DE.sub(lambda found: f"{found[1]}’" if _asks(found[2]) else found[0], text)


def _asks(word: str) -> bool:
    bare = plain(word)
    if bare.startswith("y"):
        return bare[1:2] not in ("", *"aeiouy")
    return bare.startswith((*"aeiouœæ", *_MUTE))
