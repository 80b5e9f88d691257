"""reference parameters: `Type/id`, `id`, an absolute URL, a canonical URL, or `:identifier` (R4 search.html#reference).

A reference is compared as a value, never looked up: whether its target exists, or may be seen, changes nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from liaison.fhir.definitions import RESOURCE_TYPES, SearchParameter
from liaison.fhir.errors import BadRequest
from liaison.fhir.model.values import Reference, Token
from liaison.fhir.search import token
from liaison.fhir.search.conditions import Condition, Tokens
from liaison.fhir.search.criteria import Context, Criterion
from liaison.fhir.search.escapes import unescape

MODIFIERS: Final = frozenset({"identifier", "Type"})


class Link(NamedTuple):
    """Each way in which a resource may have written the reference asked for; and what it names, if it is ours.

    `local` are (type, id): several when the value is an id alone and the parameter may point to several types.
    """

    written: tuple[str, ...]
    local: tuple[tuple[str, str], ...] = ()


def operand(text: str, modifier: str, parameter: SearchParameter, context: Context) -> Any:
    if modifier == "identifier":
        return token.operand(text, "", parameter, context)
    plain = unescape(text)
    own = plain.removeprefix(f"{context.base_url}/")
    type_, _, rest = own.partition("/")
    id_ = rest.partition("/_history/")[0]
    if own is plain and (":" in plain or plain.startswith("#")):  # elsewhere: a URL, a urn, a canonical
        return Link((plain,))
    if type_ in RESOURCE_TYPES and id_ and "/" not in id_:
        if modifier not in ("", type_):
            raise BadRequest(f"The modifier names {modifier}, and the value another type.")
        return Link(ways(type_, id_, context.base_url), ((type_, id_),))
    if "/" in own:
        return Link((plain,))
    types = (modifier,) if modifier else parameter.target or tuple(sorted(RESOURCE_TYPES))
    return Link(
        tuple(written for one in types for written in ways(one, own, context.base_url)),
        tuple((one, own) for one in types),
    )


def ways(type_: str, id_: str, base_url: str) -> tuple[str, ...]:
    """How a reference to one of our resources may have been written."""
    relative = f"{type_}/{id_}"
    return (relative, f"{base_url}/{relative}") if base_url else (relative,)


def of(written: str) -> bytes:
    return b"r" + written.encode()


def literal(value: Reference) -> str:
    """The reference as a criterion may name it, without version; '' when it is only logical."""
    return value.url or (f"{value.type}/{value.id}" if value.id else "")


def index(value: Reference) -> Iterable[bytes]:
    if written := literal(value):
        yield of(written)
        if value.version and not value.id:  # a canonical is found with its version and without
            yield of(f"{written}|{value.version}")
    if value.system or value.value:
        for one in token.index(Token(value.system, value.value)):
            yield b"i" + one


def narrow(criterion: Criterion) -> Condition | None:
    if criterion.modifier == "identifier":
        wanted = tuple(b"i" + token.of(one.system, one.code) for one in criterion.operands)
    else:
        wanted = tuple(of(written) for link in criterion.operands for written in link.written)
    return Tokens(criterion.parameter.number, wanted)


def matches(values: Sequence[Reference], criterion: Criterion) -> bool:
    found = {written for value in values for written in index(value)}
    condition = narrow(criterion)
    assert isinstance(condition, Tokens)
    return not found.isdisjoint(condition.values)
