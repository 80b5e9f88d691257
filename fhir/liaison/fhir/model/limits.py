"""What a body may be before anything is made of it. Each limit is checked before the work it bounds.

http://hl7.org/fhir/R4/json.html says that property names are unique; RFC 8259 leaves duplicates open, and two readers
that take different ones can be made to disagree about a record. So they are refused, like NaN and lone surrogates.
"""

import re

from liaison.fhir.errors import BadRequest, TooLarge

BODY = 16 * 1024 * 1024
"""Bytes of one request body or of one resource of an import."""
DEPTH = 40
"""Objects and arrays inside one another. The deepest real bundle we have read has 13."""
ENTRIES = 5_000
"""Entries of one Bundle."""
DIGITS = 400
"""Characters of one number. R4 asks for 18 digits."""
EXPONENT = 3
"""Digits of a number's exponent, as in a search."""

_STRUCTURE = bytes.maketrans(b"[]", b"{}")
_NOT_STRUCTURE = bytes(set(range(256)) - set(b'{}[]"'))
_QUOTED = re.compile(rb'"[^"]*"')
# The closing quote is optional so that no text makes the search start over.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[{}\[\]\n]', re.DOTALL)


def holds(number: str) -> bool:
    """Whether a JSON number is short enough to be worked with: what is written in ten characters may have a thousand
    million digits."""
    exponent = number.lower().partition("e")[2].lstrip("+-0")
    return len(number) <= DIGITS and len(exponent) <= EXPONENT


def check_size(body: bytes) -> None:
    """TooLarge when the body is longer than BODY."""
    if len(body) > BODY:
        raise TooLarge(f"The body has {len(body)} bytes; at most {BODY} are read.")


def check_depth(body: bytes, limit: int = DEPTH) -> None:
    """BadRequest, with line and column, when more than `limit` objects and arrays lie inside one another.

    Parses nothing: everything but brackets and quotes is dropped, then quoted text, then one level of leaves a round.
    A body that is not JSON may pass; the parser refuses it.
    """
    brackets = body
    if b"\\" in body:
        brackets = brackets.replace(b"\\\\", b"").replace(b'\\"', b"")
    brackets = brackets.translate(_STRUCTURE, _NOT_STRUCTURE)
    # Two adjacent quotes enclose nothing, or end one string and begin the next: either way what they join is still
    # quoted, or still not.
    brackets = _QUOTED.sub(b"", brackets.replace(b'""', b""))
    for _ in range(limit):
        brackets = brackets.replace(b"{}", b"")
    # Brackets that nothing closes are the parser's to refuse, as long as it need not go too deep to find out.
    if b"{}" in brackets or brackets.count(b"{") > limit:
        line, column = _where_deeper(body, limit)
        raise BadRequest(f"Objects and arrays are nested more than {limit} deep, from line {line}, column {column}.")


def _where_deeper(body: bytes, limit: int) -> tuple[int, int]:
    depth, line, start = 0, 1, 0
    for token in _TOKEN.finditer(body):
        sign = token[0]
        if sign == b"\n":
            line, start = line + 1, token.end()
        elif sign in b"{[":
            depth += 1
            if depth > limit:
                return line, token.start() - start + 1
        elif sign in b"}]":
            depth -= 1
        else:
            line += sign.count(b"\n")
    return line, 1


def check_entries(tree: dict[str, object]) -> None:
    """TooLarge when a Bundle has more than ENTRIES entries."""
    entries = tree.get("entry")
    if isinstance(entries, list) and len(entries) > ENTRIES:
        raise TooLarge(f"The Bundle has {len(entries)} entries; at most {ENTRIES} are read.", "Bundle.entry")
