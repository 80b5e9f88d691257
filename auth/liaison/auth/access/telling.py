"""What tells of another item, and is as hidden as that when the person masks it: where it comes from (a Provenance), what was
computed from it or lists it among its results, and the document that takes it up. Each names the item, often in words.

A mention elsewhere (the reason of an order, a section within a section, a free text) is not looked for, as no index has it:
the person masks that too, or it stays.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from liaison.fhir.definitions import kind_of, search_parameters
from liaison.fhir.model.references import unversioned

_TELLING: Final[Mapping[str, Mapping[str, str]]] = {
    "Provenance": {"target": "target"},
    "Observation": {"derived-from": "derivedFrom", "has-member": "hasMember"},
    "DiagnosticReport": {"result": "result"},
    "Composition": {"entry": "section.entry"},
}
"""By type: each search parameter by which it is found, and the element that it reads."""
PARAMETERS: Final = [
    (kind_of(type_), search_parameters(type_)[code].number) for type_, found in _TELLING.items() for code in found
]


def told(tree: Mapping[str, Any]) -> Iterator[str]:
    """The references of what this resource tells of, without version."""
    for path in _TELLING.get(str(tree.get("resourceType")), {}).values():
        for one in _at(tree, path.split(".")):
            if isinstance(one, Mapping) and isinstance(one.get("reference"), str):
                yield unversioned(one["reference"])


def _at(value: Any, path: list[str]) -> Iterator[Any]:
    for one in value if isinstance(value, list) else [value]:
        if not path:
            yield one
        elif isinstance(one, Mapping):
            yield from _at(one.get(path[0]), path[1:])
