"""A resource without what it says of others that its reader may not know of: each reference to them, a copy of one in a
Bundle, and every narrative, which may say it in words. What is left is valid R4: where an element may not be missing, what
holds it goes as well, and at the root it says `masked` (data-absent-reason). Tagged SUBSETTED, and so not written back.
"""

from collections.abc import Collection, Iterator
from typing import Any, Final

from liaison.fhir.definitions import PRIMITIVES, RESOURCE_TYPES
from liaison.fhir.model.references import referring, unversioned
from liaison.fhir.model.subset import mandatory, properties, tagged
from liaison.fhir.model.tree import Tree

_ABSENT: Final = {
    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]
}
_REFERENCE: Final = "Reference"
_NARRATIVE: Final = "Narrative"
_ENTRY: Final = "Bundle.entry"
_SECTION: Final = "Composition.section"
_CONTENT: Final = frozenset({"text", "entry", "section"})
"""Of these a section has one at least (cmp-1, http://hl7.org/fhir/R4/composition.html#invs)."""


def named_in(tree: Tree) -> Iterator[str]:
    """'Type/id' of everything that the resource refers to by its address, of whatever server and version, or that it holds
    as an entry."""
    yield from (_name(node["reference"]) for node in referring(tree))
    if tree.get("resourceType") == "Bundle":
        for entry in tree.get("entry") or ():
            yield from _held(entry)
            if isinstance(inner := entry.get("resource"), dict) and inner.get("resourceType") == "Bundle":
                yield from named_in(inner)


def without(tree: Tree, hidden: Collection[str]) -> Tree:
    """`hidden` are 'Type/id'."""
    type_ = str(tree["resourceType"])
    gone = set(hidden)
    gone |= set(_without_content(tree, gone))
    found = {}
    for name, value in tree.items():
        element, kind = properties(type_).get(name, (name, ""))
        left = _left(value, kind, gone)
        if left is not None:
            found[name] = left
        elif element in mandatory(type_):
            found[name] = [_ABSENT] if isinstance(value, list) else _ABSENT
    return tagged(found)


def taken(tree: Any, hidden: Collection[str]) -> list[Any]:
    """Each reference and each narrative that `without` leaves out, in their order."""
    found = []
    for one in tree if isinstance(tree, list) else tree.values() if isinstance(tree, dict) else ():
        if isinstance(one, dict) and (_is_narrative(one) or _is_to(one, hidden)):
            found.append(one)
        else:
            found += taken(one, hidden)
    return found


def _is_narrative(node: dict[str, Any]) -> bool:
    return "div" in node and "status" in node


def _is_to(node: dict[str, Any], hidden: Collection[str]) -> bool:
    return isinstance(node.get("reference"), str) and _name(node["reference"]) in hidden


def _without_content(tree: Tree, hidden: set[str]) -> Iterator[str]:
    """'#id' of each contained resource of which nothing is left: what refers to it goes too."""
    for one in tree.get("contained") or ():
        if isinstance(one, dict) and _left(one, "Resource", hidden) is None:
            yield f"#{one.get('id')}"


def _left(value: Any, type_: str, hidden: set[str]) -> Any:
    """None for nothing."""
    if isinstance(value, list):
        kept = [left for one in value if (left := _left(one, type_, hidden)) is not None]
        return kept or None
    if type_ == _NARRATIVE:
        return None
    if not isinstance(value, dict) or not type_ or type_ in PRIMITIVES:
        return value
    if type_ == _REFERENCE and _is_to(value, hidden):
        return None
    if type_ == _ENTRY and not hidden.isdisjoint(_held(value)):
        return None
    if type_ == "Resource":
        type_ = str(value.get("resourceType"))
        if type_ not in RESOURCE_TYPES:
            return {name: one for name, one in value.items() if name != "text"}
    return _element(value, type_, hidden)


def _element(node: dict[str, Any], type_: str, hidden: set[str]) -> dict[str, Any] | None:
    found = {}
    for name, value in node.items():
        element, kind = properties(type_).get(name, (name, ""))
        left = _left(value, kind, hidden)
        if left is not None:
            found[name] = left
        elif element in mandatory(type_) or type_ == "Extension":  # an extension is its value
            return None
    if type_ == _SECTION and found.keys().isdisjoint(_CONTENT):
        return None
    return found or None


def _held(entry: dict[str, Any]) -> Iterator[str]:
    """What an entry of a Bundle is, by its address and by its own id."""
    if isinstance(url := entry.get("fullUrl"), str):
        yield _name(url)
    inner = entry.get("resource")
    if isinstance(inner, dict) and "id" in inner:
        yield f"{inner.get('resourceType')}/{inner['id']}"


def _name(reference: str) -> str:
    return "/".join(unversioned(reference).split("/")[-2:])
