"""What stands in a resource, at whatever depth: the codings, and the resources that it contains (`contained`), gathers (the
entries of a Bundle) or is given (the parameters of Parameters). The right to a wrapper is not the right to its content."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from liaison.auth.access.systems import called
from liaison.fhir.definitions import DIRECTORY_TYPES

NO_CONTENT: Final = DIRECTORY_TYPES | {"Patient"}
"""Who, where and by what definition: what holds one of these is not more closed by its type."""


_CODELESS: Final = frozenset({
    "id", "extension", "coding", "text", "_text", "system", "_system", "version", "display", "_display", "userSelected",
})  # fmt: skip
"""The elements of a CodeableConcept, and of a Coding without its code. A Reference has a display too, and more."""


class Held(NamedTuple):
    codings: set[tuple[str, str]]
    """(system, code) of each, of the resource and of all that it holds; '' for a system that is not said."""
    texts: set[str]
    """What its codes are called, and the texts that stand in the place of one."""
    resources: list[dict[str, Any]]
    names: Mapping[str, list[dict[str, Any]]]
    """What stands in it by each reference that may mean it there: '#id' of what is contained, 'Type/id' and the fullUrl of an entry.
    Several of one name stand in different entries."""


def held_in(tree: Any) -> Held:
    """One walk, asked of every write. A Coding is known by its system and code, wherever it stands: in a CodeableConcept, a
    Quantity, an extension, a tag."""
    codings, texts, resources = set(), set(), []
    names: dict[str, list[dict[str, Any]]] = {}
    waiting = list(tree.values())
    for node in waiting:  # which grows meanwhile
        if isinstance(node, dict):
            code, system = node.get("code"), node.get("system")
            if isinstance(code, str):
                codings.add((called(system) if isinstance(system, str) else "", code))
                if isinstance(told := node.get("display"), str):
                    texts.add(told)
            elif isinstance(told := node.get("text", node.get("display")), str) and node.keys() <= _CODELESS:
                texts.add(told)
            if isinstance(type_ := node.get("resourceType"), str):
                resources.append(node)
                for name in (f"#{node.get('id')}", f"{type_}/{node.get('id')}"):
                    names.setdefault(name, []).append(node)
            elif isinstance(url := node.get("fullUrl"), str) and isinstance(entry := node.get("resource"), dict):
                names.setdefault(url, []).append(entry)
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return Held(codings, texts, resources, names)
