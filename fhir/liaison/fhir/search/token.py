"""token parameters: codes, identifiers, booleans (R4 search.html#token). Matches are literal and case sensitive.

`code`, `system|code`, `|code` (no system) and `system|` each have a token, so plain matches and `:not` are decided in
SQL. `:text` and `:of-type` are decided after decryption. `:in :not-in :above :below` need terminology: refused.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from liaison.fhir.definitions import SearchParameter
from liaison.fhir.errors import BadRequest
from liaison.fhir.model import values
from liaison.fhir.search.conditions import Condition, Tokens
from liaison.fhir.search.criteria import Context, Criterion
from liaison.fhir.search.escapes import split, unescape
from liaison.fhir.search.string import folded

MODIFIERS: Final = frozenset({"not", "text", "of-type"})


class Token(NamedTuple):
    """`system` None: any; '': none at all. `code` None: any."""

    system: str | None
    code: str | None


class Typed(NamedTuple):
    """`:of-type`: an identifier's type and its value."""

    system: str
    code: str
    value: str


def operand(text: str, modifier: str, parameter: SearchParameter, context: Context) -> Any:
    if modifier == "text":
        if not (found := folded(unescape(text))):
            raise BadRequest("A text to look for holds at least one letter or digit.")
        return found
    parts = [unescape(part) for part in split(text, "|")]
    if modifier == "of-type":
        if len(parts) != 3 or not all(parts):
            raise BadRequest("With :of-type a value is written system|code|value, all three present.")
        return Typed(*parts)
    match parts:
        case [code]:
            return Token(None, code)
        case [system, code] if system or code:
            return Token(system, code or None)
        case _:
            raise BadRequest(r"A token is written code, system|code, |code or system|; a bar within it is written \|.")


def of(system: str | None, code: str | None) -> bytes:
    """The bytes behind the token of one of the four ways to ask."""
    if system is None:
        return b"c" + (code or "").encode()
    if code is None:
        return b"s" + system.encode()
    return b"b" + len(system.encode()).to_bytes(2, "big") + system.encode() + code.encode()


def index(value: values.Token) -> Iterable[bytes]:
    if value.code:
        yield of(None, value.code)
        yield of(value.system, value.code)
    if value.system:
        yield of(value.system, None)


def narrow(criterion: Criterion) -> Condition | None:
    if criterion.modifier in ("", "not"):
        wanted = tuple(of(token.system, token.code) for token in criterion.operands)
        return Tokens(criterion.parameter.number, wanted, negated=criterion.modifier == "not")
    return None


def matches(found: Sequence[values.Token], criterion: Criterion) -> bool:
    match criterion.modifier:
        case "text":
            texts = [folded(value.text) for value in found if value.text]
            return any(text.startswith(start) for text in texts for start in criterion.operands)
        case "of-type":
            return any(
                value.code == typed.value and (typed.system, typed.code) in value.types
                for value in found
                for typed in criterion.operands
            )
        case modifier:
            equal = any(_equal(value, token) for value in found for token in criterion.operands)
            return equal is (modifier != "not")


def _equal(value: values.Token, token: Token) -> bool:
    if token.code is None:
        return value.system == token.system
    return value.code == token.code and token.system in (None, value.system)
