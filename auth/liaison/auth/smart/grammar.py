"""The grammar of SMART scopes, version 2 and version 1, as values with an order.

    scope    = context "/" type "." suffix [ "?" name "=" value *( "&" name "=" value ) ]
    context  = "patient" / "user" / "system"
    type     = a resource type of R4 / "*"
    suffix   = a non-empty part of "cruds", in that order          (version 2)
             / "read" / "write" / "*"                              (version 1: rs, cud, cruds)

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html

Strict on purpose: `.dus` or `.sr` is refused rather than guessed (the specification allows refusing, because `.read`
must not become `.rd`). Modifiers and chains in the query are experimental there, and refused here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_plus

from liaison.fhir.definitions import RESOURCE_TYPES, official_parameters

LETTERS: Final = "cruds"
VERSION_1: Final = {"read": "rs", "write": "cud", "*": "cruds"}
# RFC 6749 §3.3: a scope token holds neither space, quote nor backslash.
_TOKEN: Final = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")
_SHAPE: Final = re.compile(r"(patient|user|system)/([A-Za-z]+|\*)\.([a-z]+|\*)(?:\?(.*))?")
_SUFFIX: Final = re.compile(r"(?=.)c?r?u?d?s?")
_PAIR: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)=([^&=]+)")


class ScopeError(ValueError):
    """Not a scope of this grammar. The text names the scope, which holds nothing secret."""


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """One resource scope. `criteria` are (name, value) pairs still percent-encoded, all of which must hold.

    `a <= b` would be the order of tuples; containment is `a.within(b)`: whatever `a` allows, `b` allows. It is a
    partial order, and `meet` is its greatest lower bound.
    """

    context: str
    type_: str
    letters: str
    criteria: frozenset[tuple[str, str]] = field(default=frozenset())

    def __str__(self) -> str:
        query = "&".join(f"{name}={value}" for name, value in sorted(self.criteria))
        return f"{self.context}/{self.type_}.{self.letters}" + (f"?{query}" if query else "")

    @property
    def query(self) -> str:
        """The criteria as a search query; '' when any resource of the type will do."""
        return "&".join(f"{name}={value}" for name, value in sorted(self.criteria))

    def within(self, other: "Scope") -> bool:
        """Contexts never contain one another: a patient/ scope is another promise than a narrow user/ scope."""
        return (
            self.context == other.context
            and other.type_ in (self.type_, "*")
            and set(self.letters) <= set(other.letters)
            and other.criteria <= self.criteria
        )

    def meet(self, other: "Scope") -> "Scope | None":
        """The widest scope within both, or None when nothing is."""
        if self.context != other.context:
            return None
        if self.type_ == "*" or other.type_ in (self.type_, "*"):
            type_ = other.type_ if self.type_ == "*" else self.type_
        else:
            return None
        letters = "".join(letter for letter in LETTERS if letter in self.letters and letter in other.letters)
        criteria = self.criteria | other.criteria
        if not letters or not _known(type_, criteria):
            return None
        return Scope(self.context, type_, letters, criteria)


def _known(type_: str, criteria: Iterable[tuple[str, str]]) -> bool:
    # Parameters has only what every resource has, which can bound every type; anything else on '*' could not be
    # evaluated, nor could the parameters without an expression (_text, _content, _query).
    known = official_parameters("Parameters" if type_ == "*" else type_)
    return all(name in known and known[name].expression for name, _ in criteria)


def parse(text: str) -> Scope:
    """Raises ScopeError for anything that is not exactly of the grammar, or names an unknown type or parameter."""
    shape = _SHAPE.fullmatch(text)
    if shape is None or _TOKEN.fullmatch(text) is None:
        raise ScopeError(f"'{text}' is not a SMART scope.")
    context, type_, suffix, query = shape.groups()
    letters = VERSION_1.get(suffix, suffix)
    if _SUFFIX.fullmatch(letters) is None:
        raise ScopeError(f"'{text}': the part after the dot is a part of 'cruds', in that order.")
    if type_ != "*" and type_ not in RESOURCE_TYPES:
        raise ScopeError(f"'{text}': {type_} is not a resource type of FHIR R4.")
    pairs = frozenset() if query is None else _criteria(text, query)
    if not _known(type_, pairs):
        raise ScopeError(f"'{text}': a search parameter is not one of {type_}.")
    return Scope(context, type_, letters, pairs)


def _criteria(text: str, query: str) -> frozenset[tuple[str, str]]:
    pairs = [_PAIR.fullmatch(part) for part in query.split("&")]
    found = frozenset((pair[1], pair[2]) for pair in pairs if pair is not None)
    if len(found) != len(pairs) or any(not unquote_plus(value).strip() for _, value in found):
        raise ScopeError(f"'{text}': after '?' come name=value pairs, without modifiers, joined by '&'.")
    return found


def widest(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """The same permissions without scopes that lie within another, in one order."""
    every = sorted(set(scopes), key=str)
    return tuple(one for one in every if not any(one != other and one.within(other) for other in every))


def intersection(asked: Iterable[Scope], allowed: Iterable[Scope]) -> tuple[Scope, ...]:
    """What is within both. Each result lies within one of `asked` and within one of `allowed`: it never widens."""
    allowed = tuple(allowed)
    return widest(met for one in asked for other in allowed if (met := one.meet(other)) is not None)
