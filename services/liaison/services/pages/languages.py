"""The languages of the pages: French in the source, English complete beside it.

Source strings are French, so a page can never show a key or a half-translated sentence. English lives in
locale/en/LC_MESSAGES/*.po, one file a desk so that two people can translate at once; all are read together at start.
A test extracts every string of templates and code and fails on one that English lacks.

French is shown unless the reader asks for English (`?lang=en`, then a cookie). The browser's Accept-Language does not
decide: the words are fixed, printed in training sheets, and many office machines here run an English system under a
French-speaking person.
"""

import gettext
import io
import re
from functools import cache
from pathlib import Path
from typing import Final

from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from starlette.requests import Request

LANGUAGES: Final = ("fr", "en")
COOKIE: Final = "liaison-lang"
LOCALE = Path(__file__).parent / "locale"
_INSIDE: Final = re.compile("(?<=«) | (?=»)")


class _French(gettext.NullTranslations):
    """Source strings, with French plurals: 0 and 1 are singular (gettext's own fallback says 0 is plural). Inside « » they
    are written with plain spaces, and shown with those that no line is broken at."""

    def gettext(self, message: str) -> str:
        return _INSIDE.sub("\N{NO-BREAK SPACE}", message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if abs(n) < 2 else msgid2)


def read_catalogue(language: str) -> Catalog:
    """All the .po files of a language in one catalogue. Fuzzy entries are left out, as they are guesses."""
    whole = Catalog(locale=language)
    for file in sorted((LOCALE / language / "LC_MESSAGES").glob("*.po")):
        with file.open("rb") as stream:
            for message in read_po(stream, locale=language):
                if message.id and not message.fuzzy:
                    whole[message.id] = message
    return whole


@cache
def translations(language: str) -> gettext.NullTranslations:
    """What `gettext` and `ngettext` mean in that language. French for any language we do not have."""
    if language not in LANGUAGES or language == "fr":
        return _French()
    compiled = io.BytesIO()
    write_mo(compiled, read_catalogue(language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def language_of(request: Request) -> str:
    """'fr' or 'en': the address's `lang`, else the cookie of an earlier choice, else French."""
    for wanted in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if wanted in LANGUAGES:
            return wanted
    return "fr"
