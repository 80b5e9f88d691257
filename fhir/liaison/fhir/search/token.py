r"""token parameters: codes, identifiers, booleans (R4 search.html#token). Matches are literal and case sensitive; only a
plain string searched as a token has no case.

`code`, `system|code`, `|code` (no system) and `system|` each have a token, so plain matches and `:not` are decided in
SQL. A bare `code` is found under the system its element is bound to, too. `:text` and `:of-type` are decided after
decryption. `:in :not-in :above :below` ask for `Members`, which liaison.fhir.search.resolve finds in the base.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from liaison.fhir.definitions import SearchParameter
from liaison.fhir.errors import BadRequest
from liaison.fhir.model import values
from liaison.fhir.search.conditions import Condition, Tokens
from liaison.fhir.search.criteria import Context, Criterion
from liaison.fhir.search.elements import data_types, implied
from liaison.fhir.search.escapes import split, unescape
from liaison.fhir.search.string import starts, words

MODIFIERS: Final = frozenset({"not", "text", "of-type"})

# Elements that have no system: R4 forbids the bar for the first three, and gives the others none.
_WITHOUT_SYSTEM: Final = frozenset({"ContactPoint", "uri", "boolean", "string", "id"})


class Token(NamedTuple):
    """`system` None: any; '': none at all. `code` None: any. `also`: tokens that bare codes of the system have."""

    system: str | None
    code: str | None
    also: tuple[bytes, ...] = ()


class Typed(NamedTuple):
    """`:of-type`: an identifier's type and its value."""

    system: str
    code: str
    value: str


def operand(text: str, modifier: str, parameter: SearchParameter, context: Context) -> Any:
    types = data_types(parameter, context.type_)
    if modifier == "text":
        return words(unescape(text))
    parts = [unescape(part) for part in split(text, "|")]
    if modifier == "of-type":
        if types and "Identifier" not in types:
            raise BadRequest("The modifier ':of-type' is for identifiers.")
        if len(parts) != 3 or not all(parts):
            raise BadRequest("With :of-type a value is written system|code|value, all three present.")
        return Typed(*parts)
    if len(parts) > 1 and types and types <= _WITHOUT_SYSTEM:
        raise BadRequest(r"These values have no system: only the value is written. A bar within it is written \|.")
    match parts:
        case [code]:
            if types == {"boolean"} and code not in ("true", "false"):
                raise BadRequest("The value is true or false.")
            return Token(None, code.casefold() if types == {"string"} else code)
        case [system, code] if system or code:
            return Token(system, code or None, _bare(system, code, parameter, context.type_))
        case _:
            raise BadRequest(r"A token is written code, system|code, |code or system|; a bar within it is written \|.")


def _bare(system: str, code: str, parameter: SearchParameter, type_: str) -> tuple[bytes, ...]:
    """The tokens of codes that stand without their system, because the definitions say which it is."""
    systems = implied(parameter, type_)
    if system not in systems:
        return ()
    codes = systems[system]
    if code:
        return (of("", code),) if codes is None or code in codes else ()
    if codes is None:
        raise BadRequest("Every value is of this system, whose codes R4 does not list: name a code.")
    return tuple(of("", one) for one in sorted(codes))


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
        wanted = tuple(way for token in criterion.operands for way in (of(token.system, token.code), *token.also))
        return Tokens(criterion.parameter.number, wanted, negated=criterion.modifier == "not")
    return None


def matches(found: Sequence[values.Token], criterion: Criterion) -> bool:
    match criterion.modifier:
        case "text":
            texts = [value.text for value in found if value.text]
            return any(starts(text, asked) for text in texts for asked in criterion.operands)
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
        return value.system == token.system or (bool(token.also) and of(value.system, value.code) in token.also)
    if value.code != token.code:
        return False
    return token.system in (None, value.system) or (bool(token.also) and not value.system)
