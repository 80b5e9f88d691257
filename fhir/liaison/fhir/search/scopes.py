"""The caller's upper bound (SMART scopes) as criteria: what it lets a search match, and what it lets be included."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from liaison.fhir import model
from liaison.fhir.definitions import type_of
from liaison.fhir.errors import BadRequest, Forbidden
from liaison.fhir.search.alone import TEXTS, facts_of
from liaison.fhir.search.chain import is_chained
from liaison.fhir.search.criteria import Context, Criterion
from liaison.fhir.search.decide import satisfies
from liaison.fhir.search.parse import criterion, pairs
from liaison.fhir.search.plan import Alternatives
from liaison.fhir.store.contract import Caller, Interaction, Opened, Tree

_ANY: Final = datetime(1970, 1, 1, tzinfo=UTC)


def match(type_: str, tree: Tree, query: str, *, base_url: str = "", now: datetime | None = None) -> bool:
    """Whether one resource meets every criterion of a query: plain evaluation on its own content. Without `now` nothing
    in it may depend on the moment: BadRequest."""
    return satisfies(facts_of(type_, tree), _criteria(type_, query, base_url, now), ())


def letter_for(caller: Caller, type_: str) -> Interaction | None:
    """Under which letter the scopes let a resource of this type be included, or None."""
    letters: tuple[Interaction, ...] = ("s", "r")
    return next((letter for letter in letters if caller.bound.allows(letter, type_)), None)


def bound(caller: Caller, letter: Interaction, type_: str, base_url: str) -> Alternatives:
    """What the scopes ask of a resource beside the query. A scope that cannot be read opens nothing."""
    try:
        return tuple(_criteria(type_, one, base_url) for one in caller.bound.criteria(letter, type_))
    except BadRequest:
        raise Forbidden(f"A scope of this token asks something of {type_} that cannot be searched.") from None


def lets_include(caller: Caller, one: Opened, base_url: str) -> bool:
    """Whether the scopes let this resource stand in a Bundle beside the matches."""
    type_ = type_of(one.row.key.kind)
    letter = letter_for(caller, type_)
    if letter is None:
        return False
    criteria = caller.bound.criteria(letter, type_)
    return not criteria or any(match(type_, model.read(one.body), asked, base_url=base_url) for asked in criteria)


@lru_cache(maxsize=1024)
def _criteria(type_: str, query: str, base_url: str, now: datetime | None = None) -> tuple[Criterion, ...]:
    asked = Context(type_, base_url, now or _ANY)
    given = pairs(query)
    if any(name in TEXTS for name, _ in given):
        raise BadRequest("What a scope asks is decided on the values of parameters, not on texts, filters or lists.")
    if any(is_chained(name) for name, _ in given):
        raise BadRequest("What a scope asks is decided on the resource alone: a scope cannot be chained.")
    read = tuple(criterion(name, text, asked) for name, text in given)
    if now is None and any(
        one.parameter.type == "date" and text.startswith("ap") for one, (_, text) in zip(read, given, strict=True)
    ):
        raise BadRequest("What a scope asks is the same on every day: the prefix 'ap' of dates is not.")
    return read
