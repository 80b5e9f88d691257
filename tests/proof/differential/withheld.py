"""What of an entry is shown to somebody: nothing that names another one of which they may not know.

Written from docs/rights.md, for the elements by which the entries of worlds.py name others.
"""

from collections.abc import Callable, Iterator
from typing import Any

from .facts import Tree, reference

HIDING = frozenset(["PSY", "SENS", "MINOR", "NOTE3P", "PROT", "HELD", "MASKED"])
"""An item of one of these classes is not to be known of by whoever does not see it."""
SUBSETTED = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "subsetted",
}
DIRECTORY = ("Practitioner", "PractitionerRole", "Organization")
"""Of these, what somebody calls them is no secret."""
_WHOLE = ("relatesTo", "payload", "extension", "data", "entry")
"""Of these elements, one that names it is nothing without it."""


def named(node: Any) -> Iterator[str]:
    """Whatever a resource refers to."""
    for one in node if isinstance(node, list) else node.values() if isinstance(node, dict) else ():
        yield from named(one)
    if isinstance(node, dict) and isinstance(node.get("reference"), str):
        yield reference(node)


def shown(tree: Tree, hides: Callable[[str], bool]) -> Tree:
    hidden = {name for name in named(tree) if hides(name)}
    if not hidden:
        return tree
    cut = without(tree, hidden)
    return {**cut, "meta": {**cut["meta"], "tag": [*cut["meta"].get("tag", ()), SUBSETTED]}}


def nameless(tree: Tree) -> Tree:
    """As it is shown to those who look after records and read none (row 24): no words, and of whom by number."""
    cut = _numbers({name: one for name, one in tree.items() if name not in ("text", "contained")})
    tags = [one for one in cut["meta"].get("tag", ()) if one != SUBSETTED]
    return {**cut, "meta": {**cut["meta"], "tag": [*tags, SUBSETTED]}}


def _numbers(node: Any) -> Any:
    if isinstance(node, list):
        return [_numbers(one) for one in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("reference"), str) and reference(node).partition("/")[0] not in DIRECTORY:
        return {name: node[name] for name in ("reference", "type") if name in node}
    return {name: _numbers(one) for name, one in node.items() if name != "extension"}


def untagged(tree: Tree) -> Tree:
    """As it is written: entries have no other tag."""
    return {**tree, "meta": {name: one for name, one in tree["meta"].items() if name != "tag"}}


def without(tree: Tree, hidden: set[str]) -> Tree:
    """The same without its words, and without what it says of these."""
    left: Tree = _left({name: one for name, one in tree.items() if name != "text"}, hidden)
    return left


def _left(node: Any, hidden: set[str]) -> Any:
    """None for nothing."""
    if isinstance(node, list):
        return [left for one in node if (left := _left(one, hidden)) is not None] or None
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("reference"), str) and reference(node) in hidden:
        return None
    found = {}
    for name, value in node.items():
        if name in _WHOLE and isinstance(value, list):
            value = [one for one in value if hidden.isdisjoint(named(one))]
        if (left := _left(value, hidden)) is not None and left != []:
            found[name] = left
    return found or None
