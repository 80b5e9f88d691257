"""A resource as those see it who look after records without reading them: what it says in codes and dates, and of whom by number.

Gone are narratives, contained resources, attachments, extensions, and what a reference to an item of a record, or to nobody by
number, calls them or knows them by. Words of other elements stay. Tagged SUBSETTED, and so not written back.
"""

from typing import Any, Final

from liaison.fhir.definitions import DIRECTORY_TYPES, PRIMITIVES
from liaison.fhir.model.references import unversioned
from liaison.fhir.model.subset import properties, tagged
from liaison.fhir.model.tree import Tree

_GONE: Final = frozenset({"Narrative", "Attachment", "Resource", "Extension"})
_NUMBERS: Final = frozenset({"reference", "type"})
_ABSENT: Final = {
    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]
}
"""In the place of a reference of which nothing is left: its element may not be missing."""


def abridged(tree: Tree) -> Tree:
    type_ = str(tree["resourceType"])
    return tagged({"resourceType": type_, **_parts({**tree, "resourceType": None}, type_)})


def _parts(node: dict[str, Any], type_: str) -> dict[str, Any]:
    left = {name: _left(one, properties(type_).get(name, ("", ""))[1]) for name, one in node.items() if name[0] != "_"}
    return {name: one for name, one in left.items() if one is not None}


def _left(value: Any, type_: str) -> Any:
    if isinstance(value, list):
        return [left for one in value if (left := _left(one, type_)) is not None] or None
    if type_ in _GONE:
        return None
    if not isinstance(value, dict) or not type_ or type_ in PRIMITIVES:
        return value if type_ else None
    if type_ == "Reference" and not _of_the_directory(value):
        return _numbered(value) or _ABSENT
    return _parts(value, type_) or None


def _numbered(reference: dict[str, Any]) -> dict[str, Any]:
    """Nothing of a reference to what was contained, which is gone."""
    within = str(reference.get("reference", "")).startswith("#")
    return {name: one for name, one in reference.items() if name in _NUMBERS and not within}


def _of_the_directory(reference: dict[str, Any]) -> bool:
    return unversioned(str(reference.get("reference", ""))).partition("/")[0] in DIRECTORY_TYPES
