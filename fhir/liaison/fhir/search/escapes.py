r"""The escapes of search values: `\,` `\$` `\|` `\\` (FHIR R4 search.html#escaping). Any other use of `\` is refused."""

import re
from typing import Final

from liaison.fhir.errors import BadRequest

_ESCAPE: Final = re.compile(r"\\(.?)", re.DOTALL)


def split(text: str, separator: str) -> list[str]:
    """The parts between unescaped separators, still escaped."""
    if "\\" not in text:
        return text.split(separator)
    parts, start, position = [], 0, 0
    while position < len(text):
        if text[position] == "\\":
            position += 2
            continue
        if text[position] == separator:
            parts.append(text[start:position])
            start = position + 1
        position += 1
    parts.append(text[start:])
    return parts


def _plain(match: "re.Match[str]") -> str:
    if match[1] not in (",", "$", "|", "\\") or not match[1]:
        raise BadRequest("In a search value, a backslash escapes only a comma, a dollar, a bar or a backslash.")
    return match[1]


def unescape(text: str) -> str:
    """The text that an escaped part stands for. BadRequest for an escape that R4 does not define."""
    return text if "\\" not in text else _ESCAPE.sub(_plain, text)
