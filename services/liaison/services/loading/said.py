"""What a load makes and asks for: two that have something of it in common are not stored at the same time.

So the second finds what the first has stored, as if one process had done all: what it refers to by a name of its source,
what a conditional reference or a conditional create matches, what it is a newer state of.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from liaison.fhir.interactions.create import without_path
from liaison.fhir.interactions.references import target
from liaison.fhir.store.identity import identifier_of, identifiers
from liaison.services.loading.sources import Group, Item


class Said(NamedTuple):
    """`makes`: names and business identifiers of its resources. `asks`: what its references and conditions name.
    `anything`: some of its criteria name no identifier, and may match anything. `once`: of what it makes, the names, and the
    identifiers of persons. An identifier of anything else may be made by two that do not ask for it: one that many bills
    carry says nothing of either."""

    makes: frozenset[str]
    asks: frozenset[str]
    anything: bool = False
    once: frozenset[str] = frozenset()

    def meets(self, other: "Said") -> bool:
        """Whether one of them may find, or make, what the other makes."""
        return (
            self.anything
            or other.anything
            or not self.once.isdisjoint(other.once)
            or not self.makes.isdisjoint(other.asks)
            or not self.asks.isdisjoint(other.makes)
        )

    def __or__(self, other: "Said") -> "Said":
        anything = self.anything or other.anything
        return Said(self.makes | other.makes, self.asks | other.asks, anything, self.once | other.once)


NOTHING: Final = Said(frozenset(), frozenset())


def said(groups: Iterable[Group], base_url: str) -> Said:
    """What these groups make and ask for."""
    items = [item for group in groups for item in group.items if item.tree is not None]
    asks = frozenset[str]().union(*(item.texts for item in items))
    named = (target(text, base_url) for text in asks)
    criteria = {one.name for one in named if one is not None and one.kind == "conditional"}
    return _said(items, asks, criteria | _conditions(items))


def said_by_conditions(group: Group) -> Said:
    """What a group makes, and asks for by its conditional creates: those of one transaction do not find each other's."""
    items = [item for item in group.items if item.tree is not None]
    return _said(items, frozenset(), _conditions(items))


def _said(items: Sequence[Item], asks: frozenset[str], criteria: Iterable[str]) -> Said:
    names = {name for item in items for name in (item.name, item.local_name) if name}
    made: set[str] = set()
    persons: set[str] = set()
    for item in items:
        tree = item.tree or {}
        found = {_identifier(*one) for one in identifiers(tree)}
        (persons if tree.get("resourceType") == "Patient" else made).update(found)
    named = [identifier_of(query) for query in criteria]
    wanted = asks | {_identifier(*one) for one in named if one is not None}
    # An identifier that it makes itself is asked for all the same: another may make it, too.
    return Said(frozenset(names | persons | made), wanted - names, None in named, frozenset(names | persons))


def _conditions(items: Iterable[Item]) -> set[str]:
    return {condition_of(item) for item in items if item.none_exist}


def condition_of(item: Item) -> str:
    """The criteria of a conditional create, which may be written with their path; '' for a plain one."""
    return without_path(item.none_exist)


def _identifier(system: str, value: str) -> str:
    return f"{system}|{value}"
