"""`_` marks a French string in code for the catalogue of translations; it is translated when it is shown, never here.

A page that chooses words before it knows the reader's language (a table, a default, an error) writes them so. Babel and
the test of languages extract every string that is marked.
"""

from collections.abc import Callable

Gettext = Callable[[str], str]
"""What says a marked string in the reader's language."""


def _(text: str) -> str:
    """The text itself."""
    return text
