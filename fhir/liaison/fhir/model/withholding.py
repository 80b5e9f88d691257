"""A resource without what it says of others that its reader may not know of: each reference to them, and the narrative,
which may say it in words. What is left is valid R4: where an element may not be missing, what holds it goes as well, and at
the root it says `masked` (data-absent-reason). Tagged SUBSETTED, and so not written back.
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


def named_in(tree: Tree) -> Iterator[str]:
    """'Type/id' of everything that the resource refers to by its address, of whatever server and version."""
    return (_name(node["reference"]) for node in referring(tree))


def without(tree: Tree, hidden: Collection[str]) -> Tree:
    """`hidden` are 'Type/id'."""
    type_ = str(tree["resourceType"])
    found = {}
    for name, value in tree.items():
        element, kind = properties(type_).get(name, (name, ""))
        if name == "text":
            continue
        left = _left(value, kind, hidden)
        if left is not None:
            found[name] = left
        elif element in mandatory(type_):
            found[name] = [_ABSENT] if isinstance(value, list) else _ABSENT
    return tagged(found)


def _left(value: Any, type_: str, hidden: Collection[str]) -> Any:
    """None for nothing."""
    if isinstance(value, list):
        kept = [left for one in value if (left := _left(one, type_, hidden)) is not None]
        return kept or None
    if not isinstance(value, dict) or not type_ or type_ in PRIMITIVES:
        return value
    if type_ == _REFERENCE and isinstance(value.get("reference"), str) and _name(value["reference"]) in hidden:
        return None
    if type_ == "Resource":
        type_ = str(value.get("resourceType"))
        value = {name: one for name, one in value.items() if name != "text"}
        if type_ not in RESOURCE_TYPES:
            return value
    return _element(value, type_, hidden)


def _element(node: dict[str, Any], type_: str, hidden: Collection[str]) -> dict[str, Any] | None:
    found = {}
    for name, value in node.items():
        element, kind = properties(type_).get(name, (name, ""))
        left = _left(value, kind, hidden)
        if left is not None:
            found[name] = left
        elif element in mandatory(type_) or type_ == "Extension":  # an extension is its value
            return None
    return found or None


def _name(reference: str) -> str:
    return "/".join(unversioned(reference).split("/")[-2:])
