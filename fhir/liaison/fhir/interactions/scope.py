"""The caller's upper bound (SMART scopes), applied to each interaction, alone or inside a Bundle. It only narrows."""

from liaison.fhir.errors import Forbidden, NotFound
from liaison.fhir.interactions.routing import LETTER, Route
from liaison.fhir.search import match
from liaison.fhir.store.contract import Caller, Interaction, Tree


def permit(caller: Caller, route: Route) -> None:
    """Raises Forbidden when the scopes allow this interaction on this type for no record at all."""
    letter = LETTER.get(route.name)
    if letter is not None:
        permit_letter(caller, letter, route.type_)


def permit_letter(caller: Caller, letter: Interaction, type_: str) -> None:
    if not caller.bound.allows(letter, type_):
        raise Forbidden(f"The scopes of this token do not allow '{letter}' on {type_}.")


def within(caller: Caller, letter: Interaction, type_: str, tree: Tree) -> bool:
    """Whether the scopes' search criteria ('?category=…|vital-signs') let this resource through."""
    criteria = caller.bound.criteria(letter, type_)
    return not criteria or any(match(type_, tree, one) for one in criteria)


def require_visible(caller: Caller, letter: Interaction, type_: str, tree: Tree) -> None:
    """Raises NotFound for an existing resource that the criteria leave out: outside the scope is like absent."""
    if not within(caller, letter, type_, tree):
        raise NotFound


def require_written(caller: Caller, letter: Interaction, type_: str, tree: Tree) -> None:
    """Raises Forbidden for content of the caller's own that their scopes do not let them write."""
    if not within(caller, letter, type_, tree):
        raise Forbidden(
            f"The scopes of this token do not allow writing this {type_}: it does not match their criteria."
        )
