"""The caller's upper bound (SMART scopes), applied to each interaction, alone or inside a Bundle. It only narrows."""

from liaison.fhir.errors import Forbidden, NotFound
from liaison.fhir.interactions.routing import LETTER, Route
from liaison.fhir.model import read
from liaison.fhir.search import match
from liaison.fhir.store.contract import Caller, Interaction, Opened, Records, Tree


def permit(caller: Caller, route: Route) -> None:
    """Raises Forbidden when the scopes allow this interaction on this type for no record at all."""
    letter = LETTER.get(route.name)
    if letter is not None and route.type_:  # a search over several types asks for each of them
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


async def shows_version(store: Records, caller: Caller, type_: str, found: Opened, letter: Interaction = "r") -> bool:
    """Whether the criteria let this version be shown. A deletion has no content: it counts as the last content."""
    if not caller.bound.criteria(letter, type_):
        return True
    content: Opened | None = found
    if found.row.deleted:
        content = await store.version(caller, found.row.key, found.row.version - 1)
    return content is not None and not content.row.deleted and within(caller, letter, type_, read(content.body))


def require_written(caller: Caller, letter: Interaction, type_: str, tree: Tree) -> None:
    """Raises Forbidden for content of the caller's own that their scopes do not let them write."""
    if not within(caller, letter, type_, tree):
        raise Forbidden(
            f"The scopes of this token do not allow writing this {type_}: it does not match their criteria."
        )
