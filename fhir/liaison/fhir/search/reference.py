"""reference parameters: `Type/id`, `id`, an absolute URL, a canonical URL, or `:identifier` (R4 search.html#reference).

A reference is compared as a value, never looked up: whether its target exists changes nothing. One to something that the
caller may not know of does not stand there for them (liaison.fhir.search.withheld). Two modifiers are more: `:above` and
`:below` follow the parts of a Location, Organization or Encounter (search.html#recursive; liaison.fhir.search.resolve finds
them); on canonicals, `:below` takes every version, or every one that begins with the version given.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from liaison.fhir.definitions import RESOURCE_TYPES, SearchParameter
from liaison.fhir.errors import BadRequest
from liaison.fhir.model.convert import parts_of_canonical
from liaison.fhir.model.values import Reference, Token
from liaison.fhir.search import token
from liaison.fhir.search.conditions import Condition, Tokens
from liaison.fhir.search.criteria import Context, Criterion
from liaison.fhir.search.elements import data_types
from liaison.fhir.search.escapes import unescape

MODIFIERS: Final = frozenset({"identifier", "above", "below", "Type"})

HIERARCHIES: Final = {"Encounter": "part-of", "Location": "partof", "Organization": "partof"}
"""Types whose references to their own type make a strict hierarchy, and the parameter of these."""

_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_CANONICAL: Final = frozenset({"canonical", "uri"})


class Link(NamedTuple):
    """Each way in which a resource may have written the reference asked for; and what it names, if it is ours.

    `local` are (type, id): several when the value is an id alone and the parameter may point to several types. With
    `version`, only references to that version are meant; without, those to any version too.
    """

    written: tuple[str, ...]
    local: tuple[tuple[str, str], ...] = ()
    version: str = ""


class Lineage(NamedTuple):
    """`:above`, `:below`: a resource, to be resolved into a Link for it and for each above or below it."""

    type: str
    id: str


class Versions(NamedTuple):
    """`:below` on a canonical: all its versions or, with `start`, those that begin so; with `fragment`, that part of them."""

    url: str
    start: str
    fragment: str


def operand(text: str, modifier: str, parameter: SearchParameter, context: Context) -> Any:
    if modifier == "identifier":
        if data_types(parameter, context.type_) <= _CANONICAL:
            raise BadRequest("A canonical has no identifier beside itself.")
        return token.operand(text, "", parameter, context)
    plain = unescape(text)
    if modifier in ("above", "below"):
        return _lineage(plain, modifier, parameter, context)
    own = plain.removeprefix(f"{context.base_url}/")
    type_, _, rest = own.partition("/")
    id_, _, version = rest.partition("/_history/")
    if own is plain and (":" in plain or plain.startswith("#")):  # elsewhere: a URL, a urn, a canonical
        return Link((plain,))
    if type_ in RESOURCE_TYPES and id_ and "/" not in id_:
        if modifier not in ("", type_):
            raise BadRequest(f"The modifier names {modifier}, and the value another type.")
        _require_id(id_)
        return Link(ways(type_, id_, context.base_url, version), ((type_, id_),), version)
    if data_types(parameter, context.type_) <= _CANONICAL:
        return Link((plain,))
    if "/" in own:
        raise BadRequest("The value is no reference: it names no type of FHIR R4 with an id.")
    _require_id(own)
    types = (modifier,) if modifier else parameter.target or tuple(sorted(RESOURCE_TYPES))
    return Link(
        tuple(written for one in types for written in ways(one, own, context.base_url)),
        tuple((one, own) for one in types),
    )


def _require_id(id_: str) -> None:
    if not _ID.fullmatch(id_):
        raise BadRequest("The value is no reference: an id has 1 to 64 letters, digits, '-' and '.'.")


def _lineage(plain: str, modifier: str, parameter: SearchParameter, context: Context) -> Lineage | Versions:
    if data_types(parameter, context.type_) <= _CANONICAL:
        if modifier == "above":
            raise BadRequest("The modifier ':above' is not defined for canonicals.")
        return Versions(*parts_of_canonical(plain))
    known = [one for one in sorted(HIERARCHIES) if one in parameter.target]
    type_, _, id_ = plain.removeprefix(f"{context.base_url}/").rpartition("/")
    if not known or (type_ and type_ not in known):
        raise BadRequest(f"The modifier ':{modifier}' is for references to {', '.join(sorted(HIERARCHIES))}.")
    if not type_ and len(known) > 1:
        raise BadRequest(f"With ':{modifier}' the type has to be named: {known[0]}/{id_[:64]}.")
    return Lineage(type_ or known[0], id_)


def ways(type_: str, id_: str, base_url: str, version: str = "") -> tuple[str, ...]:
    """How a reference to one of our resources, or to that version of it, may have been written."""
    relative = f"{type_}/{id_}/_history/{version}" if version else f"{type_}/{id_}"
    return (relative, f"{base_url}/{relative}") if base_url else (relative,)


def of(written: str) -> bytes:
    return b"r" + written.encode()


def ours(value: Reference, base_url: str) -> tuple[str, str] | None:
    """(type, id) of the resource of this service that a reference names, or None."""
    own = not value.url or value.url == f"{base_url}/{value.type}/{value.id}"
    return (value.type, value.id) if own and value.type in RESOURCE_TYPES else None


def literal(value: Reference) -> str:
    """The reference as a criterion may name it, without version; '' when it is only logical."""
    return value.url or (f"{value.type}/{value.id}" if value.id else "")


def index(value: Reference) -> Iterable[bytes]:
    if written := literal(value):
        yield of(written)
        if not value.id:  # a canonical is found without its version and with it, of which it may have none
            yield of(f"{written}|{value.version}")
            if value.fragment:  # one part of it: found with that, and like the whole
                yield of(f"{written}#{value.fragment}")
                yield of(f"{written}|{value.version}#{value.fragment}")
        elif value.version:
            yield of(f"{written}/_history/{value.version}")
    if value.system or value.value:
        for one in token.index(Token(value.system, value.value)):
            yield b"i" + one


def names(value: Reference, link: Link) -> bool:
    """Whether a reference is the one asked for."""
    return not {*index(value)}.isdisjoint(map(of, link.written))


def narrow(criterion: Criterion) -> Condition | None:
    if criterion.modifier == "identifier":
        wanted = tuple(b"i" + token.of(one.system, one.code) for one in criterion.operands)
    elif any(isinstance(one, Versions) for one in criterion.operands):
        return None
    else:
        if any(isinstance(one, Lineage) for one in criterion.operands):
            raise BadRequest("The modifiers :above and :below cannot be used at this place of a search.")
        wanted = tuple(of(written) for link in criterion.operands for written in link.written)
    return Tokens(criterion.parameter.number, wanted)


def matches(values: Sequence[Reference], criterion: Criterion) -> bool:
    if any(isinstance(one, Versions) for one in criterion.operands):
        return any(_is_version(value, one) for value in values for one in criterion.operands)
    found = {written for value in values for written in index(value)}
    condition = narrow(criterion)
    assert isinstance(condition, Tokens)
    return not found.isdisjoint(condition.values)


def _is_version(value: Reference, asked: Versions) -> bool:
    if literal(value) != asked.url or asked.fragment not in ("", value.fragment):
        return False
    return not asked.start or value.version == asked.start or value.version.startswith(f"{asked.start}.")
