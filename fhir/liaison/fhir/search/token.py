r"""token parameters: codes, identifiers, booleans (R4 search.html#token). Matches are literal and case sensitive; only a
plain string searched as a token has no case.

`code`, `system|code`, `|code` (no system) and `system|` each have a token, so plain matches and `:not` are decided in
SQL. A bare `code` is found under the system its element is bound to, too. `:text` and `:of-type` are decided after
decryption, the latter of what has the value. `:in :not-in :above :below` ask for `Members`, which liaison.fhir.search.resolve finds in the base.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from liaison.fhir.definitions import SearchParameter
from liaison.fhir.errors import BadRequest
from liaison.fhir.model import values
from liaison.fhir.search.conditions import Condition, Tokens
from liaison.fhir.search.criteria import Context, Criterion
from liaison.fhir.search.elements import MIME_TYPES, data_types, implied
from liaison.fhir.search.escapes import split, unescape
from liaison.fhir.search.string import starts, words
from liaison.fhir.terminology import Members

MODIFIERS: Final = frozenset({"not", "text", "of-type", "in", "not-in", "above", "below"})

MOST_CODES: Final = 1_000
"""Members that are looked for as tokens; more are decided after decryption."""

_CODED: Final = frozenset({"code", "Coding", "CodeableConcept"})

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


class InSet(NamedTuple):
    """`:in`, `:not-in`: a value set by its URL, to be resolved into Members."""

    url: str


class Related(NamedTuple):
    """`:above`, `:below`: a concept, to be resolved into Members."""

    system: str
    code: str


class Mime(NamedTuple):
    """`:below` on MIME types: the base part, whatever the parameters after it (R4 search.html#mimetype)."""

    base: str


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
    if modifier in ("in", "not-in", "above", "below"):
        if types and types.isdisjoint(_CODED):
            raise BadRequest(f"The modifier ':{modifier}' is for codes.")
        if modifier in ("in", "not-in"):
            return InSet("|".join(parts))
        return _related(parts, modifier, implied(parameter, context.type_))
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


def _related(parts: list[str], modifier: str, systems: Mapping[str, object]) -> Related | Mime:
    if MIME_TYPES in systems:
        if modifier == "above" or len(parts) > 1:
            raise BadRequest("Of MIME types only ':below' is known, with the type alone: text/xml.")
        return Mime(parts[0].partition(";")[0].strip())
    if len(parts) == 1 and len(systems) == 1:
        parts = [*systems, *parts]
    if len(parts) != 2 or not all(parts):
        raise BadRequest(f"With ':{modifier}' a concept is written system|code.")
    return Related(*parts)


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
    if criterion.modifier in ("in", "not-in", "above", "below"):
        ways = [_tokens(one) for one in criterion.operands]
        found = tuple(way for some in ways if some is not None for way in some)
        if None not in ways and len(found) <= MOST_CODES:
            return Tokens(criterion.parameter.number, found, negated=criterion.modifier == "not-in")
    return None


def carries(criterion: Criterion) -> Condition:
    """What every match of an `:of-type` has: one of the values, whatever its system and type."""
    return Tokens(criterion.parameter.number, tuple(of(None, typed.value) for typed in criterion.operands))


def _tokens(asked: Members | Mime) -> list[bytes] | None:
    """The tokens of all members, or None when tokens cannot tell them: those of a system but some."""
    members = _resolved(asked)
    if isinstance(members, Mime):
        return None
    found: list[bytes] = []
    for system, codes in members.systems.items():
        if not codes.but:
            found += [of(system, code) for code in sorted(codes.codes)]
        elif codes.codes or not system:
            return None
        else:
            found.append(of(system, None))
    return found


def _resolved(asked: Any) -> Members | Mime:
    """A guard: what was not looked up in the base must not count as an empty set."""
    if not isinstance(asked, Members | Mime):
        raise BadRequest("The modifiers :in, :not-in, :above and :below cannot be used at this place of a search.")
    return asked


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
        case "in" | "not-in" | "above" | "below" as modifier:
            inside = any(_is_in(value, _resolved(asked)) for value in found for asked in criterion.operands)
            return inside is (modifier != "not-in")
        case modifier:
            equal = any(_equal(value, token) for value in found for token in criterion.operands)
            return equal is (modifier != "not")


def _equal(value: values.Token, token: Token) -> bool:
    if token.code is None:
        return value.system == token.system or (bool(token.also) and of(value.system, value.code) in token.also)
    if value.code != token.code:
        return False
    return token.system in (None, value.system) or (bool(token.also) and not value.system)


def _is_in(value: values.Token, asked: Members | Mime) -> bool:
    if isinstance(asked, Mime):
        return value.code.partition(";")[0].strip() == asked.base
    return bool(value.code) and (value.system, value.code) in asked
